"""The symbol graphs of the library's modules: what the documentation and the list of the public API are made from.

The compiler's `swift-symbolgraph-extract` reads them out of the modules of a debug build; nothing is compiled for it.
"""
import json, os, pathlib, re, shutil, subprocess, sys

root = pathlib.Path(__file__).resolve().parent.parent
products = root / ".build/debug"

# Each after those whose symbols it names.
modules = [
    "UV", "Readiness", "AsyncUV", "UVFoundation", "AsyncUVTLS", "AsyncUVHTTP", "AsyncUVHTTP2", "Coroutines", "UVEmbedding", "UVMainExecutor",
    "UVAsyncMain", "UVTesting", "UVObservability", "UVServiceLifecycle",
]


def build():
    """Builds the modules. After `make test` there is nothing to do."""
    for module in modules:
        # The others are built on the way.
        if module not in ["UV", "Readiness", "AsyncUV", "UVMainExecutor"]:
            command = ["swift", "build", "--quiet", "--target", module]
            if (result := subprocess.run(command, cwd=root, env={**os.environ, "SWIFT_UV_STRICT": "1"})).returncode:
                sys.exit(result.returncode)


def search_options():
    """Where compilers find the modules, and the modules of C that those need."""
    maps = [
        *(root / "Sources").glob("*/module.modulemap"), *(root / "Sources").glob("*/include/module.modulemap"),
        *products.glob("C*.build/module.modulemap"), *(root / ".build/checkouts").glob("*/Sources/*/include/module.modulemap"),
    ]
    return ["-I", products / "Modules", *[option for file in maps for option in ("-Xcc", f"-fmodule-map-file={file}")]]


def extract(folder, inherited=False):
    """Writes the graph of each module into a folder of its name. With `inherited` each type has what it gets from its superclass
    and from extensions of its protocols, too."""
    shutil.rmtree(folder, ignore_errors=True)
    target = json.loads(subprocess.run(
        ["swiftc", "-print-target-info"], check=True, capture_output=True, text=True).stdout)["target"]["triple"]
    runs = []
    for module in modules:
        (folder / module).mkdir(parents=True)
        runs.append((module, subprocess.Popen([
            "swift-symbolgraph-extract", "-module-name", module, "-target", target, *search_options(),
            "-minimum-access-level", "public", "-emit-extension-block-symbols", "-output-dir", folder / module,
            *([] if inherited else ["-skip-synthesized-members"]),
        ], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)))
    for module, run in runs:
        output, _ = run.communicate()
        if run.returncode:
            sys.exit(f"The symbols of {module} cannot be read:\n{output}")


def graphs(folder):
    """(module, file, graph) for each file: a module's own symbols, and those by which it extends another module, which is named in the
    file's name after an @."""
    for module in modules:
        for file in sorted((folder / module).glob("*.symbols.json")):
            yield module, file, json.loads(file.read_text())


def symbols(graph):
    """The symbols of a graph that somebody has written."""
    return [symbol for symbol in graph["symbols"] if symbol["kind"]["identifier"] != "swift.extension"]


def place(symbol):
    """Its file and line, as compilers write it."""
    if not (location := symbol.get("location")):
        return "?"
    path = location["uri"].removeprefix("file://").removeprefix(f"{root}/")
    return f"{path}:{location['position']['line'] + 1}"
