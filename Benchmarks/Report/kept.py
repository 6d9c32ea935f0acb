"""The counts of instructions that git keeps, as a workload: for a report whose run has not counted."""
from arithmetic import number
from measure import Measure

MEASURES = (Measure("instructions", "instructions a message", ""), Measure("mallocs", "allocations a message", ""))


def workload(counts):
    """`counts` is Benchmarks/instructions.json."""
    rows = [{"name": name, "values": {"instructions": [each["instructions"]], "mallocs": [each["mallocs"]]}} for name, each in counts.items()]
    callbacks, tasks = counts["echo-uv-callbacks"], counts["echo-uv-async"]
    return {"key": "instructions-kept", "title": "Instructions of a message: the kept counts", "chart": "bars", "baseline": "", "skipped": [],
            "measures": [measure.record for measure in MEASURES], "rows": rows, "isProgram": True, "isKept": True, "command": "make bench-check",
            "sentence": f"An echoed KiB takes {number(callbacks['instructions'])} instructions with callbacks and {number(tasks['instructions'])} with tasks; "
                        f"{number(callbacks['mallocs'])} and {number(tasks['mallocs'])} allocations.",
            "method": "Not counted in this run: user-land instructions and calls of allocators for a message, by callgrind, as they are kept in "
                      "Benchmarks/instructions.json. CI counts anew and fails above 5 % more. Rows do different work."}


def with_counts(record, counts):
    """The workloads of a record, with the kept counts after the system calls if it has no counts of its own."""
    workloads = list(record["workloads"])
    if not counts or any(each["key"] == "instructions" and each["rows"] for each in workloads):
        return workloads
    place = next((index + 1 for index, each in enumerate(workloads) if each["key"] == "calls"), len(workloads))
    return workloads[:place] + [workload(counts)] + workloads[place:]
