"""A program that echoes, and what it needs."""
import dataclasses, os, pathlib, shutil, subprocess, tempfile

BENCHMARKS = pathlib.Path(__file__).resolve().parent.parent
PEERS = BENCHMARKS / "Peers"
BUILT_PEERS = BENCHMARKS / ".build/peers"


@dataclasses.dataclass(frozen=True)
class Rival:
    name: str
    # Its command line. A word `{built}`, `{peers}`, `{sources}`, `{python}` or `{local}` names a place: see Places.
    command: str
    # Whose it is: C, ours, model (of Readiness) or other. The charts colour by it.
    group: str = "other"
    # What brings it when it is missing.
    needs: str = "make bench-peers"
    # A module of Python without which it does not run.
    module: str = ""
    # The most connections it serves at once.
    limit: int | None = None
    # Whether its process alone does the work: the CPU time of children is not seen.
    is_one_process: bool = True

    def words(self, places):
        return [word.format(**places.names) for word in self.command.split()]

    def is_there(self, places):
        words = self.words(places)
        if shutil.which(words[0]) is None:
            return False
        places_there = [word for word in words if word.startswith("/") and word != str(places.names["local"])]
        if not all(pathlib.Path(word).exists() for word in places_there):
            return False
        if not self.module:
            return True
        return subprocess.run([words[0], "-c", f"import {self.module}"], capture_output=True).returncode == 0


class Places:
    """Where programs are."""

    def __init__(self, built):
        python = BENCHMARKS / ".build/python/bin/python3"
        self.built = pathlib.Path(built).resolve()
        self.names = {"built": self.built, "peers": BUILT_PEERS, "sources": PEERS,
                      "python": python if python.exists() else "python3",
                      "local": pathlib.Path(tempfile.gettempdir()) / f"swift-uv-report-{os.getpid()}"}
