import pathlib, re, sys, unittest
import xml.dom.minidom

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import chart, style
from reading import read
from sentence import describe
from test_reading import record


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


if __name__ == "__main__":
    unittest.main()
