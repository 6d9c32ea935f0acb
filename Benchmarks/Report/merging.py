"""Later results put into a report: each workload keeps its own run."""
from workloads import WORKLOADS


def own_run(record, workload):
    """Where and when it was measured, as far as that was recorded."""
    if "measured" in workload or "history" in record:
        return workload.get("measured")
    machine = record["machine"]
    return {"commit": machine["commit"], "isChanged": machine["isChanged"], "began": machine["began"], "rounds": record["rounds"],
            "isUnderLoad": record["isUnderLoad"]}


def runs_of(record):
    """The runs of a report, with their versions: the report itself, if nothing was put into it yet."""
    machine = record["machine"]
    return record.get("runs") or [{"began": machine["began"], "commit": machine["commit"], "kernel": machine["kernel"], "versions": machine["versions"]}]


def merge(old, new):
    """The older report with the newer one's workloads, in the order of the page. The machine is the older one's; the whole time of
    several runs is nobody's, and is left out."""
    for record in (old, new):
        for workload in record["workloads"]:
            if run := own_run(record, workload):
                workload["measured"] = run
    found = {workload["key"]: workload for workload in old["workloads"] + new["workloads"]}
    order = {workload.key: place for place, workload in enumerate(WORKLOADS)}
    names = {rival["name"] for rival in old["rivals"]}
    old["rivals"] += [rival for rival in new["rivals"] if rival["name"] not in names]
    old["missing"] = [each for each in old["missing"] if each["name"] not in {rival["name"] for rival in old["rivals"]}]
    old["workloads"] = sorted(found.values(), key=lambda workload: order[workload["key"]])
    old["runs"] = runs_of(old) + runs_of(new)
    old.pop("seconds", None)
    old["isUnderLoad"] = old["isUnderLoad"] or new["isUnderLoad"]
    # What history says of workloads that are measured anew is of the past.
    for commit in old.get("history", []):
        commit["workloads"] = [key for key in commit["workloads"] if key not in {workload["key"] for workload in new["workloads"]}]
    if "history" in old:
        old["history"] = [commit for commit in old["history"] if commit["workloads"]]
    return old
