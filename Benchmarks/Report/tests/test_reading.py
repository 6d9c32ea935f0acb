import copy, pathlib, sys, unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from comparison import compare
from reading import read
from rivals import BASELINE, RIVALS
from sentence import behind, describe
from workloads import WORKLOADS

CPU = {"key": "cpu", "title": "CPU", "unit": "µs", "higher_is_better": False}


def record(**rows):
    groups = {"C": "C", "ours": "ours", "rival": "other"}
    return {"rivals": [{"name": name, "group": group} for name, group in groups.items()],
            "workloads": [{"key": "echo", "title": "Echo", "chart": "bars", "method": "", "measures": [CPU], "baseline": "C",
                           "skipped": [], "rows": [{"name": name, "values": {"cpu": values}} for name, values in rows.items()]}]}


class Readings(unittest.TestCase):
    def test_bars_go_from_the_best(self):
        reading, = read(record(C=[10, 10, 10], ours=[9, 9, 9], rival=[30, 30, 30]))
        self.assertEqual([row.name for row in reading.bars()], ["ours", "C", "rival"])
        self.assertEqual(reading.find("rival").get("cpu").ratio, 3)

    def test_the_sentence_is_of_the_numbers(self):
        reading, = read(record(C=[10, 10, 10], ours=[12, 12, 12], rival=[11, 30, 70]))
        self.assertEqual(describe(reading), "The least is C with 10.0 µs; ours 1.2 times what C takes. "
                                            "Too noisy to conclude: 1 of 3 rows.")

    def test_a_run_that_says_nothing_says_so(self):
        reading, = read(record(C=[10, 30, 90], ours=[90, 30, 10]))
        self.assertIn("oo noisy to conclude", describe(reading))
        reading, = read(record())
        self.assertEqual(describe(reading), "Nothing could be measured.")

    def test_who_is_behind(self):
        (reading, name, rivals), = behind(read(record(C=[10, 10, 10], ours=[12, 12, 12], rival=[11, 11, 11])))
        self.assertEqual((name, [rival for rival, _ in rivals]), ("ours", ["C", "rival"]))
        # A tenth behind C is near enough; a rival that is ahead in some rounds only is not ahead.
        self.assertEqual(behind(read(record(C=[10, 10, 10], ours=[11, 11, 11], rival=[10, 12, 10.5]))), [])

    def test_two_reports(self):
        old = record(C=[10, 10, 10], ours=[20, 20, 20], rival=[15, 15, 15])
        new = copy.deepcopy(old)
        new["workloads"][0]["rows"][1]["values"]["cpu"] = [15, 15, 15]
        changes = {row[1]: row[-1] for row in compare(new, old)}
        self.assertEqual(changes, {"ours": "better", "rival": "no clear change"})
        self.assertEqual({row[-1] for row in compare(old, record(C=[10, 10, 10], ours=[10, 30, 90]))}, {"too noisy to conclude"})
        self.assertEqual(compare(new, record()), [])

    def test_names_are_there_once(self):
        for names in ([rival.name for rival in RIVALS], [workload.key for workload in WORKLOADS]):
            self.assertEqual(len(names), len(set(names)))
        self.assertIn(BASELINE, [rival.name for rival in RIVALS])
        for workload in WORKLOADS:
            unknown = set(getattr(workload, "only", ())) - {rival.name for rival in RIVALS}
            self.assertFalse(unknown, workload.key)


if __name__ == "__main__":
    unittest.main()
