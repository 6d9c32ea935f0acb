"""What can be measured, and its unit."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Measure:
    key: str
    title: str
    unit: str
    higher_is_better: bool = False

    @property
    def record(self):
        return dataclasses.asdict(self)


CPU = Measure("cpu", "server CPU a request", "µs")
RATE = Measure("rate", "requests a second", "1/s", True)
P50 = Measure("p50", "latency p50", "µs")
P99 = Measure("p99", "latency p99", "µs")
P999 = Measure("p999", "latency p99.9", "µs")
MOST = Measure("max", "latency, most", "µs")
RESIDENT = Measure("resident", "resident memory", "MiB")
SWITCHES = Measure("switches", "context switches a request", "")
IDLE = Measure("idle", "private memory of an idle connection", "B")
EVENT = Measure("event", "CPU of an event", "µs")
TIME = Measure("time", "time", "ns")
