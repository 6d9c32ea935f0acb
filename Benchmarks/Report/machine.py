"""What a reader must know of the machine to judge the numbers."""
import datetime, json, os, pathlib, platform, re, subprocess

from rival import BENCHMARKS, PEERS


def output(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout or done.stderr).strip() if done.returncode == 0 else ""


def first_line(*command):
    return output(*command).split("\n")[0]


def processor():
    match = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return match[1] if match else platform.machine()


def distribution(text):
    """Of /etc/os-release."""
    match = re.search(r'^PRETTY_NAME="?([^"\n]*)', text, re.M)
    return match[1] if match else ""


def locked(text, name):
    """A crate's version in Cargo.lock."""
    match = re.search(rf'^name = "{re.escape(name)}"\nversion = "([^"]+)"', text, re.M)
    return match[1] if match else ""


def resolved(text, name):
    """A package's version in Package.resolved."""
    pins = json.loads(text)["pins"] if text else []
    return next((pin["state"].get("version") or pin["state"].get("revision", "") for pin in pins if pin["identity"] == name), "")


def content(path):
    try:
        return pathlib.Path(path).read_text()
    except OSError:
        return ""


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def source():
    """The commit that is measured."""
    folder = str(pathlib.Path(__file__).parent)
    return {"commit": first_line("git", "-C", folder, "rev-parse", "HEAD"), "isChanged": bool(output("git", "-C", folder, "status", "--porcelain"))}


def record(places):
    python = str(places.names["python"])
    versions = {
        "distribution": distribution(content("/etc/os-release")),
        "libuv": first_line("pkg-config", "--modversion", "libuv"),
        "Swift": first_line("swift", "--version"),
        "Go": first_line("go", "version"),
        "Node": first_line("node", "--version"),
        "Python": first_line(python, "--version"),
        "uvloop": first_line(python, "-c", "import uvloop; print(uvloop.__version__)"),
        "gevent": first_line(python, "-c", "import gevent; print(gevent.__version__)"),
        "Rust": first_line("rustc", "--version"),
        "C++": first_line("g++", "--version"),
        "Boost": first_line("sh", "-c", "grep -oP 'BOOST_LIB_VERSION \"\\K[^\"]+' /usr/include/boost/version.hpp"),
        "redis-server": first_line("redis-server", "--version"),
        "nginx": first_line("nginx", "-v"),
        "OpenSSL": first_line("pkg-config", "--modversion", "openssl") or first_line("openssl", "version"),
        "tokio": locked(content(PEERS / "tokio/Cargo.lock"), "tokio"),
        "swift-nio": resolved(content(BENCHMARKS / "Package.resolved"), "swift-nio"),
        "swift-nio-ssl": resolved(content(BENCHMARKS / "Package.resolved"), "swift-nio-ssl"),
        "swift-async-algorithms": resolved(content(BENCHMARKS / "Package.resolved"), "swift-async-algorithms"),
        "FlyingFox": resolved(content(PEERS / "flyingsocks/Package.resolved"), "flyingfox"),
        "wrk": (output("sh", "-c", "wrk -v 2>&1; true").split("\n") or [""])[0],
    }
    return {
        "processor": processor(), "cores": os.cpu_count(),
        "memoryGiB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(), **source(), "began": now(),
        "loadAverage": os.getloadavg()[0],
        "versions": {name: version for name, version in versions.items() if version},
    }
