"""A server on one core and its client on another: one run of the two."""
import contextlib, functools, json, os, pathlib, resource, signal, subprocess

# A server that has not spoken by then does not work.
PATIENCE = 60
# A program with rounds of its own, which may have to be built.
LONG_PATIENCE = 1800
TRIES = 5
# What `load` says of an empty window.
NOTHING = "nothing came back"

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent / "Scripts"


class Failed(Exception):
    """A run that gave no number."""


def raise_limits():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def pinned(core):
    cores = os.sched_getaffinity(0)
    return (lambda: os.sched_setaffinity(0, {core})) if core in cores else None


class Bench:
    def __init__(self, places, server_core=0, load_core=1):
        self.places, self.server_core, self.load_core = places, server_core, load_core

    @contextlib.contextmanager
    def serving(self, words, spreads=False):
        """A fresh server, as the layout of a process's memory moves its speed by some per cent. `spreads` lets it have all cores."""
        server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                  preexec_fn=None if spreads else pinned(self.server_core))
        try:
            line = server.stdout.readline()
            if not line.startswith("listening on "):
                raise Failed(f"{words[0]} printed {line!r}")
            place = line.split()[-1]
            # A local socket has no port.
            yield server, [place] if place.startswith("/") else place.rsplit(":", 1)
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
            server.stdout.close()

    def run(self, words, client, arguments, needs_cpu=True, spreads=False):
        """What the client printed, and what the kernel keeps of the server. A window in which other programs had the cores all the
        time is measured again."""
        for left in reversed(range(TRIES)):
            try:
                result = self.run_once(words, client, arguments, spreads)
            except Failed as failure:
                if not left or NOTHING not in str(failure):
                    raise
                continue
            if isinstance(result, list) or not needs_cpu or result.get("serverCPUSeconds") != 0:
                return result
        raise Failed("the server had no core in the whole window")

    def run_once(self, words, client, arguments, spreads=False):
        with self.serving(words, spreads) as (server, place):
            command = [self.places.built / client, *place, "--json", "--pid", str(server.pid), *map(str, arguments)]
            before = switches(server.pid)
            done = self.client(command)
            result = json.loads(done)
            if isinstance(result, dict):
                result["residentBytes"] = resident(server.pid)
                result["switches"] = switches(server.pid) - before
            return result

    def client(self, command):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE,
                                  preexec_fn=pinned(self.load_core))
        except subprocess.TimeoutExpired:
            raise Failed(f"no answer within {PATIENCE} s")
        if done.returncode != 0:
            raise Failed(done.stderr.strip().split("\n")[-1] or f"{command[0].name} ended with {done.returncode}")
        return done.stdout

    @functools.cache
    def program(self, words):
        """A program that measures by itself: its --json. Several charts are drawn from one run."""
        program = (SCRIPTS if (SCRIPTS / words[0]).exists() else self.places.built) / words[0]
        try:
            done = subprocess.run([program, *words[1:], "--json"], capture_output=True, text=True, timeout=LONG_PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failed(f"not done within {LONG_PATIENCE} s")
        if done.returncode != 0:
            raise Failed(done.stderr.strip().split("\n")[-1])
        # A build may have spoken before.
        return json.loads(done.stdout.strip().split("\n")[-1])


def resident(process):
    for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def switches(process):
    """Context switches of all its threads, wanted and not."""
    count = 0
    for task in pathlib.Path(f"/proc/{process}/task").iterdir():
        with contextlib.suppress(OSError):
            for line in (task / "status").read_text().splitlines():
                if "ctxt_switches" in line:
                    count += int(line.split()[1])
    return count
