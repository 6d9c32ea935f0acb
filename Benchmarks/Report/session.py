"""All workloads, one after the other; in each, rounds go through all rivals and begin with another one each time."""
import sys, time

import machine
from bench import Failed
from rivals import BASELINE, RIVALS
from workload import Program

FORMAT = 1


def progress(text):
    print(f"\r\x1b[K{text}" if sys.stderr.isatty() else text, end="" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)


class Session:
    def __init__(self, bench, options, command):
        self.bench, self.options, self.command = bench, options, command

    def run(self, workloads, save):
        """`save` gets what there is after each workload, so that an end in the middle loses one only."""
        began = time.monotonic()
        here = [rival for rival in RIVALS if rival.is_there(self.bench.places)]
        if not any(rival.name == BASELINE for rival in here):
            raise SystemExit(f"There is no {BASELINE} to compare with: swift build -c release --package-path Benchmarks")
        record = {
            "format": FORMAT, "isQuick": self.options.quick, "isUnderLoad": self.options.under_load, "command": self.command,
            "rounds": self.options.rounds, "machine": machine.record(self.bench.places),
            "rivals": [{"name": rival.name, "group": rival.group} for rival in here],
            "missing": [{"name": rival.name, "needs": rival.needs} for rival in RIVALS if rival not in here],
        }
        record["workloads"] = []
        for workload in workloads:
            start, at = time.monotonic(), machine.now()
            measured = self.program(workload) if isinstance(workload, Program) else self.servers(workload, here)
            measured["seconds"] = round(time.monotonic() - start, 1)
            # A later report may take this workload alone.
            measured["measured"] = {**machine.source(), "began": at, "rounds": self.options.rounds, "isUnderLoad": self.options.under_load}
            record["workloads"].append(measured)
            record["seconds"] = round(time.monotonic() - began, 1)
            save(record)
        return record

    def describe(self, workload, rows, skipped, **more):
        return {"key": workload.key, "title": workload.title, "method": workload.method, "chart": workload.chart,
                "measures": [measure.record for measure in workload.measures], "rows": rows, "skipped": skipped, **more}

    def servers(self, workload, here):
        able, skipped = [], []
        for rival in workload.contestants(here):
            reason = workload.reason_against(rival)
            if not reason and rival not in here and not rival.is_there(self.bench.places):
                reason = f"is not there; `{rival.needs}` brings it"
            skipped += [{"name": rival.name, "reason": reason}] if reason else []
            able += [] if reason else [rival]
        rows = {rival.name: {} for rival in able}
        for number in range(min(self.options.rounds, workload.most_rounds)):
            for place in range(len(able)):
                rival = able[(place + number) % len(able)]
                if any(each["name"] == rival.name for each in skipped):
                    continue
                progress(f"{workload.key}: round {number + 1}, {rival.name}")
                try:
                    figures = workload.measure(self.bench, rival, self.options)
                except Failed as failure:
                    # Its rounds no longer belong to the baseline's.
                    skipped.append({"name": rival.name, "reason": str(failure)})
                    rows.pop(rival.name)
                    continue
                for key, value in figures.items():
                    rows[rival.name].setdefault(key, []).append(value)
        return self.describe(workload, [{"name": name, "values": values} for name, values in rows.items()], skipped,
                             baseline=workload.own[0].name if workload.own else BASELINE)

    def program(self, workload):
        progress(f"{workload.key}: {' '.join(workload.words[:1])}")
        try:
            measured = workload.run(self.bench, self.options)
        except (Failed, OSError) as failure:
            return self.describe(workload, [], [{"name": workload.words[0], "reason": str(failure)}], baseline=workload.baseline)
        key = workload.measures[0].key
        rows = [{"name": name, "unit": each["unit"], "values": each.get("values") or {key: each["rounds"]}} for name, each in measured.items()]
        return self.describe(workload, rows, [], baseline=workload.baseline,
                             isProgram=not (workload.rows or workload.part))
