import pathlib, sys, unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from behind import ALSO, behind, grouped, is_ahead, layer, plain
from explanations import EXPLANATIONS, is_unexplained, reason
from reading import read
from workloads import WORKLOADS
from test_reading import CPU, record


def who(made):
    return {each.name: [(rival.name, rival.times and round(rival.times, 3)) for rival in each.rivals] for each in behind(read(made))}


class Behind(unittest.TestCase):
    def test_four_rounds_of_five_or_the_same_share_rounded_up(self):
        self.assertEqual([least for rounds in (1, 2, 3, 4, 5, 7, 9, 10) for least in range(rounds + 1) if is_ahead(least, rounds)
                          and not is_ahead(least - 1, rounds)], [1, 2, 3, 4, 4, 6, 8, 8])
        self.assertFalse(is_ahead(0, 0))

    def test_one_good_round_hides_nothing(self):
        self.assertEqual(who(record(C=[10] * 5, ours=[12, 12, 12, 12, 9])), {"ours": [("C", 1.2)]})
        self.assertEqual(who(record(C=[10] * 5, ours=[12, 12, 12, 9, 9])), {})

    def test_rounds_are_paired(self):
        # The ranges overlap, as a busy minute slowed both.
        self.assertEqual(who(record(ours=[11, 22, 11], rival=[10, 20, 10])), {"ours": [("rival", 1.1)]})

    def test_c_has_a_tenth_and_rivals_have_nothing(self):
        self.assertEqual(who(record(C=[10] * 5, ours=[10.9] * 5, rival=[10.8] * 5)), {"ours": [("rival", 1.009)]})
        # What is written as 1.00 times is level.
        self.assertEqual(who(record(ours=[10.02], rival=[10])), {})

    def test_a_baseline_that_is_a_rival_has_nothing_either(self):
        made = record(rival=[10] * 5, ours=[10.4] * 5)
        made["workloads"][0]["baseline"] = "rival"
        self.assertEqual(who(made), {"ours": [("rival", 1.04)]})

    def test_all_rivals_are_named_c_first_then_the_fastest(self):
        made = record(C=[10] * 3, ours=[12] * 3, rival=[11] * 3, other=[9] * 3)
        made["rivals"].append({"name": "other", "group": "other"})
        self.assertEqual([name for name, _ in who(made)["ours"]], ["C", "other", "rival"])

    def test_noise_takes_the_number_only(self):
        self.assertEqual(who(record(ours=[15, 40, 90], rival=[10, 10, 10])), {"ours": [("rival", None)]})

    def test_a_peer_with_one_figure_is_beside_each_round(self):
        self.assertEqual(who(record(ours=[12, 12, 12], rival=[10])), {"ours": [("rival", 1.2)]})

    def test_more_is_better(self):
        made = record(ours=[8] * 3, rival=[10] * 3)
        made["workloads"][0]["measures"] = [dict(CPU, higher_is_better=True)]
        self.assertEqual(who(made), {"ours": [("rival", 1.25)]})

    def test_lines_are_compared_point_by_point(self):
        made = record(ours=[1], rival=[1])
        workload = made["workloads"][0]
        workload["chart"] = "lines"
        workload["rows"] = [{"name": "ours", "values": {"cpu@10": [10] * 3, "cpu@100": [30] * 3, "cpu@200": [99] * 3}},
                            {"name": "rival", "values": {"cpu@10": [20] * 3, "cpu@100": [20] * 3}}]
        (found,) = behind(read(made))
        (rival,) = found.rivals
        self.assertEqual((rival.times, rival.at), (1.5, (100,)))

    def test_rows_of_a_program_are_compared_with_what_does_the_same(self):
        made = record()
        made["workloads"][0] |= {"key": "lines", "isProgram": True, "baseline": "connection, chunks only", "rows": [
            {"name": name, "values": {"cpu": values}} for name, values in [
                ("connection.lines()", [130] * 5), ("file.lines()", [70] * 5), ("connection, chunks only", [7] * 5), ("Go: bufio.Scanner, text", [58])]]}
        self.assertEqual(list(who(made)), ["connection.lines()"])

    def test_memory_is_judged_too_and_grouped(self):
        made = record(C=[10], ours=[10])
        made["workloads"][0]["measures"] = [CPU, {"key": "resident", "title": "memory", "unit": "MiB", "higher_is_better": False}]
        for row, memory in zip(made["workloads"][0]["rows"], [5, 15]):
            row["values"]["resident"] = [memory]
        made["workloads"].append(dict(made["workloads"][0], key="bursts"))
        (group,) = grouped(behind(read(made)))
        self.assertEqual(([each.reading.key for each in group], group[0].key), (["echo", "bursts"], ("resident", "ours")))


class Names(unittest.TestCase):
    def test_memory_is_a_layer_s_whatever_the_chart_calls_it(self):
        self.assertEqual([layer(name) for name in ("local: callbacks", "UDP: async", "AsyncUV, loops: 2", "http-hello")],
                         ["UV callbacks", "AsyncUV", "AsyncUV", "http-hello"])
        self.assertEqual([plain(name) for name in ("local: Go", "tokio, threads: 2", "Go")], ["Go", "tokio", "Go"])


class Reasons(unittest.TestCase):
    def test_each_is_of_a_workload(self):
        keys = {workload.key for workload in WORKLOADS} | set(ALSO)
        self.assertEqual([key for key in EXPLANATIONS if key[0] not in keys], [])

    def test_what_has_no_reason_says_so(self):
        (found,) = behind(read(record(ours=[12], rival=[10])))
        self.assertTrue(is_unexplained(reason(found)))
        self.assertFalse(is_unexplained(EXPLANATIONS["echo-1KiB-50", "AsyncUV"]))
        self.assertTrue(is_unexplained(EXPLANATIONS["open-loop", "AsyncUV"]))


if __name__ == "__main__":
    unittest.main()
