import pathlib, sys, unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from arithmetic import Summary, number, quartiles, ratios, spread


class Arithmetic(unittest.TestCase):
    def test_quartiles_lie_between_neighbours(self):
        self.assertEqual(quartiles([4, 1, 3, 2]), (1.75, 3.25))
        self.assertEqual(quartiles([7]), (7, 7))

    def test_spread_is_a_share_of_the_median(self):
        self.assertEqual(spread([10, 10, 10]), 0)
        self.assertAlmostEqual(spread([8, 10, 12]), 0.2)
        self.assertEqual(spread([0, 0, 5, 9]) > 1, True)

    def test_a_median_of_zero_among_others_is_noise(self):
        self.assertTrue(Summary([0, 0, 9]).is_noisy)
        self.assertFalse(Summary([0, 0, 0]).is_noisy)

    def test_ratios_are_taken_round_by_round(self):
        # A busy second round slowed both.
        summary = Summary([2, 20, 2], [1, 10, 1])
        self.assertEqual(summary.ratios, [2, 2, 2])
        self.assertEqual(summary.ratio, 2)
        self.assertFalse(summary.is_noisy)

    def test_a_round_without_a_baseline_has_no_ratio(self):
        self.assertEqual(ratios([1, 2], [0, 4]), [0.5])

    def test_contradicting_rounds_are_noisy(self):
        summary = Summary([1, 2, 3], [1, 1, 1])
        self.assertTrue(summary.is_noisy)
        self.assertEqual(summary.verdict(), "unclear")

    def test_one_round_is_shown(self):
        self.assertFalse(Summary([3]).is_noisy)

    def test_verdicts(self):
        base = [100, 100, 100]
        self.assertEqual(Summary([120, 125, 122], base).verdict(), "worse")
        self.assertEqual(Summary([120, 125, 122], base).verdict(higher_is_better=True), "better")
        self.assertEqual(Summary([80, 85, 82], base).verdict(), "better")
        self.assertEqual(Summary([101, 99, 102], base).verdict(), "same")
        self.assertEqual(Summary([95, 108, 107], base).verdict(), "unclear")
        self.assertIsNone(Summary([1, 2]).verdict())

    def test_numbers_have_three_digits_that_count(self):
        self.assertEqual([number(value) for value in (0, 0.0123, 1.234, 12.34, 123.4, 1234567)],
                         ["0", "0.0123", "1.23", "12.3", "123", "1,234,567"])


if __name__ == "__main__":
    unittest.main()
