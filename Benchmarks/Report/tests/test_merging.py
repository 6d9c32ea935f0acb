import pathlib, sys, unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import machine
from merging import merge, runs_of


def report(commit, *keys, **more):
    return {"machine": {"commit": commit, "isChanged": False, "began": f"2026-01-0{commit}T10:00:00+00:00", "kernel": "6", "cores": 2, "processor": "P",
                        "loadAverage": 0, "versions": {"libuv": commit}},
            "rounds": 5, "isUnderLoad": False, "isQuick": False, "command": "make report", "seconds": 100, "rivals": [], "missing": [],
            "workloads": [{"key": key, "rows": []} for key in keys]} | more


class Merging(unittest.TestCase):
    def test_each_workload_keeps_its_own_run(self):
        merged = merge(report("1", "bursts", "visits"), report("2", "visits"))
        self.assertEqual({each["key"]: each["measured"]["commit"] for each in merged["workloads"]}, {"bursts": "1", "visits": "2"})
        self.assertEqual([run["versions"]["libuv"] for run in merged["runs"]], ["1", "2"])
        again = merge(merged, report("3", "idle"))
        self.assertEqual({each["key"]: each["measured"]["commit"] for each in again["workloads"]}, {"bursts": "1", "visits": "2", "idle": "3"})
        self.assertEqual(len(runs_of(again)), 3)

    def test_times_of_several_runs_are_not_summed(self):
        self.assertNotIn("seconds", merge(report("1", "bursts"), report("2", "visits")))

    def test_what_history_says_holds_for_what_stays(self):
        old = report("1", "bursts", "visits", history=[{"commit": "a", "date": "2026-01-01", "workloads": ["bursts", "visits"]}])
        merged = merge(old, report("2", "visits"))
        self.assertEqual(merged["history"][0]["workloads"], ["bursts"])
        self.assertEqual([each.get("measured", {}).get("commit") for each in merged["workloads"]], [None, "2"])


class Machine(unittest.TestCase):
    def test_versions_are_read_from_their_files(self):
        self.assertEqual(machine.distribution('NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'), "Debian GNU/Linux 12 (bookworm)")
        lock = '[[package]]\nname = "tokio-macros"\nversion = "2.1.0"\n\n[[package]]\nname = "tokio"\nversion = "1.24.2"\n'
        self.assertEqual(machine.locked(lock, "tokio"), "1.24.2")
        pins = '{"pins": [{"identity": "swift-nio", "state": {"revision": "abc", "version": "2.90.0"}}]}'
        self.assertEqual([machine.resolved(pins, "swift-nio"), machine.resolved(pins, "x"), machine.resolved("", "x")], ["2.90.0", "", ""])


if __name__ == "__main__":
    unittest.main()
