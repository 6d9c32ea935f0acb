"""System calls of a message, counted by strace: they do not move with the machine's noise."""
import pathlib, shutil, socket, tempfile, time

from bench import Failed
from workload import Workload

# Messages of the two runs; their difference leaves out start-up and shutdown.
FEW, MANY = 100, 400
MESSAGE = bytes(1024)


def exchange(place, count):
    host, port = place
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(count):
            connection.sendall(MESSAGE)
            left = len(MESSAGE)
            while left:
                left -= len(connection.recv(left)) or fail()


def fail():
    raise Failed("the server closed the connection")


def total(text):
    """Of strace's table: name and calls in a line."""
    lines = (line.split() for line in text.splitlines())
    return sum(int(words[1]) for words in lines if len(words) == 2 and words[1].isdigit() and words[0] != "total")


class Calls(Workload):
    def reason_against(self, rival):
        return super().reason_against(rival) or (None if shutil.which("strace") else "there is no strace, which `make bench-peers` brings")

    def measure(self, bench, rival, options):
        counts = [self.count(bench, rival.words(bench.places), messages) for messages in (FEW, MANY)]
        return {"calls": (counts[1] - counts[0]) / (MANY - FEW)}

    def count(self, bench, words, messages):
        with tempfile.TemporaryDirectory() as folder:
            table = pathlib.Path(folder) / "calls"
            # The tracer is a grandchild, so that signals reach the server itself.
            with bench.serving(["strace", "-D", "-f", "-c", "-U", "name,calls", "-o", str(table), *map(str, words)]) as (_, place):
                try:
                    exchange(place, messages)
                except OSError as error:
                    raise Failed(str(error))
            return self.read(table)

    def read(self, table):
        """The tracer writes when the server has ended."""
        for _ in range(200):
            if table.exists() and "total" in (text := table.read_text()):
                return total(text)
            time.sleep(0.05)
        raise Failed("strace wrote nothing")
