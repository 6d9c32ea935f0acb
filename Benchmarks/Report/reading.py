"""A recorded workload, with the sums that charts, sentences and tables share."""
import re

from arithmetic import NOISY, Summary, spread


class Row:
    def __init__(self, name, group, values, baseline):
        self.name, self.group, self.values = name, group, values
        # A row that was dropped in the middle has fewer rounds than the baseline.
        self.summaries = {key: Summary(each, (baseline or {}).get(key)) for key, each in values.items() if each}

    def get(self, key):
        return self.summaries.get(key)


class Reading:
    """A workload as it is in the JSON."""

    def __init__(self, workload, groups):
        self.workload, self.key, self.title = workload, workload["key"], workload["title"]
        self.measures = workload["measures"]
        self.main = self.measures[0]
        self.baseline = workload["baseline"]
        self.is_program = workload.get("isProgram", False)
        base = next((row["values"] for row in workload["rows"] if row["name"] == self.baseline), None)
        self.rows = [Row(row["name"], groups.get(row["name"], self.group(row["name"])), row["values"], base)
                     for row in workload["rows"] if row.get("unit", self.main["unit"]) == self.main["unit"]]

    @property
    def has_baseline(self):
        row = self.find(self.baseline)
        return row is not None and any(key.split("@")[0] == self.main["key"] for key in row.summaries)

    @property
    def shows_ratios(self):
        """Rows of a program do different things: their ratios stand in the table only."""
        return self.has_baseline and not self.is_program

    @staticmethod
    def group(name):
        """Rows of programs are not named in the list of rivals: others' names tell themselves."""
        if re.search(r"asyncio|gevent|greenlet|[Pp]ython|Go\b|go:|goroutine|NIO|-nio|[Nn]ode|Foundation|AsyncChannel|nginx|redis|tokio|uvloop", name):
            return "other"
        if re.search(r"\bin C\b|^C\b|^echo-c-|C libuv|uv_|pread|^cp |^rm |bare|one child task|^open, fstat", name):
            return "C"
        if "readiness" in name or name.startswith("blocking"):
            return "model"
        return "ours"

    def points(self, row, key):
        """Of a workload of lines: number and summary, in rising order."""
        found = [(int(each.split("@")[1]), row.summaries[each]) for each in row.summaries if each.startswith(key + "@")]
        return sorted(found, key=lambda point: point[0])

    def is_noisy_line(self, row, key):
        """Whether most of its points say nothing. The baseline's ratios are all 1: its own figures tell."""
        points = [summary for _, summary in self.points(row, key)]
        noisy = [summary for summary in points
                 if (len(summary.values) > 1 and spread(summary.values) > NOISY if row.name == self.baseline else summary.is_noisy)]
        return len(noisy) * 2 > len(points)

    def bars(self):
        """Rows with the main measure, best first; those that say nothing come last."""
        key, sign = self.main["key"], -1 if self.main["higher_is_better"] else 1
        having = [row for row in self.rows if row.get(key)]
        return sorted(having, key=lambda row: (row.get(key).is_noisy, row.get(key).median * sign))

    def find(self, name):
        return next((row for row in self.rows if row.name == name), None)


def read(record, workloads=None):
    """The workloads of a record, or those that are given instead."""
    groups = {rival["name"]: rival["group"] for rival in record["rivals"]}
    return [Reading(workload, groups) for workload in (record["workloads"] if workloads is None else workloads)]
