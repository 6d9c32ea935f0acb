"""What a reader must know of the machine to judge the numbers."""
import datetime, os, pathlib, platform, re, subprocess


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


def record(places):
    folder = pathlib.Path(__file__).parent
    python = str(places.names["python"])
    versions = {
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
        "wrk": (output("sh", "-c", "wrk -v 2>&1; true").split("\n") or [""])[0],
    }
    commit = first_line("git", "-C", str(folder), "rev-parse", "HEAD")
    return {
        "processor": processor(), "cores": os.cpu_count(),
        "memoryGiB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(), "commit": commit,
        "isChanged": bool(output("git", "-C", str(folder), "status", "--porcelain")),
        "began": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "loadAverage": os.getloadavg()[0],
        "versions": {name: version for name, version in versions.items() if version},
    }
