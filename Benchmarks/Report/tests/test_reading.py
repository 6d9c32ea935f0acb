import copy, pathlib, sys, unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from comparison import compare
from reading import read
from rivals import BASELINE, RIVALS
from sentence import describe
from workloads import WORKLOADS

CPU = {"key": "cpu", "title": "CPU", "unit": "µs", "higher_is_better": False}


def record(**rows):
    groups = {"C": "C", "ours": "ours", "rival": "other"}
    return {"rivals": [{"name": name, "group": group} for name, group in groups.items()],
            "workloads": [{"key": "echo", "title": "Echo", "chart": "bars", "method": "", "measures": [CPU], "baseline": "C",
                           "skipped": [], "rows": [{"name": name, "values": {"cpu": values}} for name, values in rows.items()]}]}


def lines(**rows):
    made = record(**{name: [] for name in rows})
    made["workloads"][0] |= {"key": "open-loop", "chart": "lines", "rows": [
        {"name": name, "values": {"cpu@30": [low] * 3, "cpu@90": [high] * 3}} for name, (low, high) in rows.items()]}
    return made


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

    def test_two_reports(self):
        old = record(C=[10, 10, 10], ours=[20, 20, 20], rival=[15, 15, 15])
        new = copy.deepcopy(old)
        new["workloads"][0]["rows"][1]["values"]["cpu"] = [15, 15, 15]
        changes = {row.name: row.meaning for row in compare(new, old)}
        self.assertEqual(changes, {"ours": "better", "rival": "no clear change"})
        self.assertEqual({row.meaning for row in compare(old, record(C=[10, 10, 10], ours=[10, 30, 90]))}, {"too noisy to conclude"})
        self.assertEqual(compare(new, record()), [])

    def test_two_reports_of_lines(self):
        old, new = lines(C=[10, 10], ours=[20, 40]), lines(C=[10, 10], ours=[20, 30])
        self.assertEqual([(row.name, row.was, row.now, row.meaning) for row in compare(new, old)],
                         [("ours at 30", 2, 2, "no clear change"), ("ours at 90", 4, 3, "better")])

    def test_two_reports_without_a_baseline_are_compared_by_figures(self):
        old, new = record(ours=[20, 20, 20]), record(ours=[10, 10, 10])
        (row,) = compare(new, old)
        self.assertEqual((row.said(row.was), row.said(row.now), row.meaning), ("20.0 µs", "10.0 µs", "better"))

    def test_latency_at_a_rate(self):
        reading, = read(lines(C=[10, 15], ours=[20, 40], rival=[20, 80]))
        self.assertEqual(describe(reading), "p99 at 90 % of capacity: C 15.0 µs, 1.5 times that at 30 %; ours 40.0 µs, 2 times that at 30 %.")

    def test_one_line_alone_is_not_beside_itself(self):
        made = lines(C=[10, 15])
        self.assertEqual(describe(read(made)[0]), "p99 at 90 % of capacity: C 15.0 µs, 1.5 times that at 30 %.")
        made["workloads"][0]["key"] = "curves"
        self.assertEqual(describe(read(made)[0]), "At 90 an event costs C 1.5 times what it does at 30.")

    def test_a_noisy_baseline_is_noisy_although_its_ratios_are_one(self):
        made = lines(C=[10, 10])
        made["workloads"][0]["rows"][0]["values"] = {"cpu@30": [10, 50, 900], "cpu@90": [10, 70, 300]}
        self.assertEqual(describe(read(made)[0]), "Too noisy to conclude: the rounds of the one line contradict each other.")

    def test_names_are_there_once(self):
        for names in ([rival.name for rival in RIVALS], [workload.key for workload in WORKLOADS]):
            self.assertEqual(len(names), len(set(names)))
        self.assertIn(BASELINE, [rival.name for rival in RIVALS])
        for workload in WORKLOADS:
            unknown = set(getattr(workload, "only", ())) - {rival.name for rival in RIVALS}
            self.assertFalse(unknown, workload.key)


if __name__ == "__main__":
    unittest.main()
