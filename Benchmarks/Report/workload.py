"""What rivals are put under. Each yields runs; the session takes them in turn, round by round."""
import dataclasses, shutil

from bench import Failed
from measure import CPU, MOST, P50, P99, P999, RATE, RESIDENT, SWITCHES, TIME

LOADED = [CPU, RATE, P50, P99, P999, MOST, SWITCHES, RESIDENT]


@dataclasses.dataclass(frozen=True)
class Workload:
    """A workload of servers."""
    key: str
    title: str
    method: str
    arguments: tuple = ()
    client: str = "load"
    measures: tuple = tuple(LOADED)
    # Names of rivals, where not all will do.
    only: tuple = ()
    connections: int = 1
    in_quick: bool = False
    # Rivals of its own, the first of which is the baseline.
    own: tuple = ()
    # Whether the server may have all cores, the load's too.
    spreads: bool = False
    # Rounds that this one has at most: some take long and hardly vary.
    most_rounds: int = 99

    # How the chart looks: bars of the first measure, or lines over numbers.
    chart = "bars"

    def contestants(self, rivals):
        return self.own or [rival for rival in rivals if not self.only or rival.name in self.only]

    def reason_against(self, rival):
        if rival.limit is not None and rival.limit < self.connections:
            return f"serves {rival.limit} at once"
        return None

    def measure(self, bench, rival, options):
        """The figures of one run, by the key of their measure."""
        arguments = [*self.arguments, "--seconds", options.seconds, "--warmup", options.seconds / 2]
        return self.figures(bench.run(rival.words(bench.places), self.client, arguments, rival.is_one_process, self.spreads), rival)

    def figures(self, result, rival):
        requests, latency = result["requests"], result["latency"]
        figures = {"rate": requests / result["seconds"], "p50": latency["p50"], "p99": latency["p99"], "p999": latency["p999"],
                   "max": latency["max"]}
        if rival.is_one_process:
            figures |= {"cpu": result["serverCPUSeconds"] / requests * 1e6, "resident": result["residentBytes"] / 2**20,
                        # The server was warm for half as long again, at the same pace.
                        "switches": result["switches"] / (requests * 1.5)}
        return figures


class Idle(Workload):
    def measure(self, bench, rival, options):
        result = bench.run(rival.words(bench.places), "idle", self.arguments)
        return {"idle": result["usedBytes"], "silent": result["silentBytes"]}


class Curves(Workload):
    """Lines: the keys are `event` at each number of idle connections."""
    chart = "lines"

    def measure(self, bench, rival, options):
        most = rival.limit or 10**9
        numbers = [str(number) for number in self.numbers if number <= min(most, options.descriptors - 100)]
        results = bench.run(rival.words(bench.places), "one-busy",
                            ["--watched", ",".join(numbers), "--seconds", min(options.seconds, 0.15)])
        return {f"event@{each['watched']}": each["serverCPUSeconds"] / each["events"] * 1e6 for each in results}

    numbers = (10, 100, 1000, 5000, 10000, 19000)

    def reason_against(self, rival):
        return None


class OpenLoop(Workload):
    """Latency at shares of what each server can do: its own capacity is measured first."""
    chart = "lines"
    shares = (30, 60, 90)
    # In shorter ones p99 of the same server differed a hundredfold from round to round.
    least_seconds = 2

    def measure(self, bench, rival, options):
        common = [*self.arguments, "--seconds", options.seconds, "--warmup", options.seconds / 2]
        window = options.seconds if options.quick else max(options.seconds, self.least_seconds)
        loaded = [*self.arguments, "--seconds", window, "--warmup", options.seconds / 2]
        words = rival.words(bench.places)
        full = bench.run(words, "load", common)
        capacity = full["requests"] / full["seconds"]
        figures = {}
        for share in self.shares:
            result = bench.run(words, "load", [*loaded, "--rate", capacity * share / 100])
            figures |= {f"p50@{share}": result["latency"]["p50"], f"p99@{share}": result["latency"]["p99"],
                        f"p999@{share}": result["latency"]["p999"]}
        return figures | {"rate": capacity}


@dataclasses.dataclass(frozen=True)
class Program:
    """A program that measures all its rows by itself, with rounds of its own."""
    key: str
    title: str
    method: str
    words: tuple
    # The row that the others are compared with; none if empty.
    baseline: str
    measures: tuple = (TIME,)
    # What --quick adds, and what the full run does; {rounds}, {python} are filled in.
    quick_words: tuple = ()
    # The rows that belong together, all if empty: a chart compares what does the same.
    rows: tuple = ()
    # What the names of those rows begin or end with, which the title says already.
    part: str = ""
    in_quick: bool = False
    # Only when it is named, or everything is asked for: it builds first.
    is_long: bool = False
    # Programs without which it cannot run.
    needs: tuple = ()

    chart = "bars"

    def run(self, bench, options):
        for program in self.needs:
            if shutil.which(program) is None:
                raise Failed(f"there is no {program}, which `make bench-peers` brings")
        words = list(self.words) + (list(self.quick_words) if options.quick else [])
        words = tuple(word.format(rounds=options.rounds, **bench.places.names) for word in words)
        rows = [dict(each, name=each["name"].strip()) for each in bench.program(words)]
        if self.rows:
            rows = [each for each in rows if each["name"] in self.rows]
        if self.part:
            rows = [dict(each, name=each["name"].removeprefix(self.part).removesuffix(self.part)) for each in rows
                    if each["name"].startswith(self.part) or each["name"].endswith(self.part)]
        names = [each["name"] for each in rows]
        if len(set(names)) < len(names) or not names:
            raise Failed(f"the rows are {', '.join(names) or 'none'}")
        return dict(zip(names, rows))
