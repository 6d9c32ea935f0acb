import pathlib, re, sys, unittest
import xml.dom.minidom

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import chart, page, redrawn, style
from reading import read
from sentence import describe
from test_merging import report
from test_reading import CPU, record

COUNTS = {"echo-uv-callbacks": {"instructions": 870, "mallocs": 0}, "echo-uv-async": {"instructions": 3648, "mallocs": 1}}


class Charts(unittest.TestCase):
    def draw(self, **rows):
        reading, = read(record(**rows))
        return chart.draw(reading, describe(reading))

    def test_a_chart_has_marks_words_and_no_colours_of_its_own(self):
        text = self.draw(C=[10, 10, 10], ours=[12, 12, 12])
        xml.dom.minidom.parseString(text)
        self.assertEqual(len(re.findall(r'id="echo-mark-\d', text)), 2)
        self.assertIn("<title", text)
        self.assertIn("<desc", text)
        self.assertNotRegex(re.sub(r"(href|url)[=(]\"?#", "", text), r"#[0-9a-f]{6}")
        used = set(re.findall(r"var\(--([a-z0-9A-Z]+)\)", text)) - {"font"}
        self.assertLessEqual(used, set(style.LIGHT))
        self.assertEqual(set(style.LIGHT), set(style.DARK))

    def test_noise_is_said_in_place_of_the_number(self):
        text = self.draw(C=[10, 10, 10], ours=[10, 40, 90])
        self.assertIn("too noisy to conclude (10.0–90.0)", text)
        self.assertNotIn("40.0", text)

    def test_no_rows_no_chart(self):
        self.assertEqual(self.draw(), "")

    def test_the_same_numbers_give_the_same_bytes(self):
        reading, = read(record(C=[10, 10, 10], ours=[12, 12, 12]))
        self.assertEqual(chart.draw_anew(reading, "x"), chart.draw_anew(reading, "x"))

    def test_the_baseline_is_named(self):
        self.assertIn("× is the ratio to C<", self.draw(C=[10, 10, 10], ours=[12, 12, 12]))
        self.assertNotIn("ratio", self.draw(ours=[12, 12, 12]))


class Pages(unittest.TestCase):
    def text(self, counts=None, old=None, **more):
        made = record(C=[10] * 5, ours=[12] * 5, rival=[11] * 5)
        return page.Page(report("1") | made | more, old, counts).text

    def test_a_chart_says_to_what_its_ratios_are_and_when_it_was_measured(self):
        text = self.text()
        self.assertIn("Ratios are to C.", text)
        self.assertIn("ratio to C</button>", text)
        self.assertIn("Measured in the run of 2026-01-01 10:00 UTC.", text)
        self.assertIn("The whole run took 100 s", text)

    def test_a_workload_of_a_later_run_names_it(self):
        made = record(C=[10], ours=[12])
        made["workloads"][0] |= {"seconds": 64.2, "measured": {"commit": "a" * 40, "isChanged": True, "began": "2026-02-03T04:05:06+00:00", "rounds": 5,
                                                               "isUnderLoad": False}}
        text = page.Page(report("1") | made | {"runs": [{"versions": {"libuv": "1"}}, {"versions": {"libuv": "2", "tokio": "1.24"}}]}).text
        self.assertIn("Measured 2026-02-03 04:05 UTC at commit aaaaaaaaaaaa, with changes in 64.2 s.", text)
        self.assertIn("put together from 2 runs", text)
        self.assertIn("<dt>libuv</dt><dd>1, later 2</dd><dt>tokio</dt><dd>1.24</dd>", text)
        self.assertNotIn("The whole run took", text)

    def test_a_report_of_unknown_runs_says_so(self):
        text = self.text(history=[{"commit": "b" * 40, "date": "2026-11-29T00:09:01+00:00", "workloads": ["echo"]}])
        self.assertIn("put together from several runs", text)
        self.assertIn("before 2026-11-29 00:09 UTC, when commit bbbbbbbbbbbb brought its figures", text)

    def test_versions_that_are_missing_are_named(self):
        self.assertIn("Versions that were not recorded: distribution, Swift, swift-nio, tokio, nginx, OpenSSL, redis-server.", self.text())

    def test_kept_counts_are_shown_where_none_were_counted(self):
        self.assertIn("Not counted in this run", self.text(counts=COUNTS))
        self.assertIn("An echoed KiB takes 870 instructions with callbacks and 3,648 with tasks; 0 and 1 allocations.", self.text(counts=COUNTS))
        made = record(C=[1], ours=[2])
        made["workloads"][0]["key"] = "instructions"
        self.assertNotIn("kept counts", page.Page(report("1") | made, counts=COUNTS).text)

    def test_rows_without_a_reason_are_counted(self):
        text = self.text()
        self.assertIn("Rows: 1. Not yet explained, or not in full: 1.", text)
        self.assertIn("C 1.2 times; rival 1.09 times", text)

    def test_memory_of_several_charts_is_one_row(self):
        made = record(C=[10], ours=[10])
        measures = [CPU, {"key": "resident", "title": "resident memory", "unit": "MiB", "higher_is_better": False}]
        for key, memory in [("bursts", 15), ("visits", 16)]:
            rows = [{"name": "C", "values": {"cpu": [10], "resident": [5]}}, {"name": "ours", "values": {"cpu": [10], "resident": [memory]}}]
            made["workloads"].append(made["workloads"][0] | {"key": key, "measures": measures, "rows": rows})
        text = page.Page(report("1") | made).text
        self.assertIn("<td data-label='workload'>resident memory: 2 charts</td><td data-label='ours'>ours</td><td data-label='behind'>C 3–3.2 times</td>", text)

    def test_who_is_ahead_without_a_number_comes_last(self):
        text = page.Page(report("1") | record(ours=[15, 40, 90], rival=[10, 10, 10], C=[5, 14, 31])).text
        self.assertIn("C 2.9 times; rival: in most rounds, but too noisy for a number", text)
        self.assertEqual(page.words("a `b<` c"), "a <code>b&lt;</code> c")

    def test_a_page_that_is_no_redraw_is_told_by_its_lines(self):
        self.assertEqual(redrawn.difference("a\nb\n", "a\nc\n"), ["--- committed", "+++ redrawn", "@@ -2 +2 @@", "-b", "+c"])


if __name__ == "__main__":
    unittest.main()
