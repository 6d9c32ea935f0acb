"""Medians, spread and ratios of rounds, and when a run says nothing."""
import statistics

# A ratio whose middle half is wider than this share of its median is no number to show.
NOISY = 0.25
# Less than this is no difference.
CLEAR = 0.03


def quartiles(values):
    """The lower and the upper one, between neighbours where they fall there."""
    ordered = sorted(values)

    def at(part):
        place = part * (len(ordered) - 1)
        below = int(place)
        above = min(below + 1, len(ordered) - 1)
        return ordered[below] + (ordered[above] - ordered[below]) * (place - below)

    return at(0.25), at(0.75)


def spread(values):
    """The width of the middle half, as a share of the median."""
    middle = statistics.median(values)
    low, high = quartiles(values)
    if middle == 0:
        return 0.0 if high == low else float("inf")
    return (high - low) / abs(middle)


def ratios(values, baseline):
    """Round by round: both were measured in the same minute."""
    return [value / base for value, base in zip(values, baseline) if base]


class Summary:
    """One row's rounds."""

    def __init__(self, values, baseline=None):
        self.values = values
        self.median = statistics.median(values)
        self.low, self.high = min(values), max(values)
        self.ratios = ratios(values, baseline) if baseline else []
        self.ratio = statistics.median(self.ratios) if self.ratios else None

    @property
    def is_noisy(self):
        """Whether its ratio, or without one its value, says nothing. One round alone says nothing of its spread."""
        return len(self.values) > 1 and spread(self.ratios or self.values) > NOISY

    def verdict(self, higher_is_better=False):
        """`better`, `worse` or `same` as the baseline when every round agrees; `unclear` when they do not."""
        if not self.ratios:
            return None
        if self.is_noisy:
            return "unclear"
        if abs(self.ratio - 1) <= CLEAR:
            return "same"
        if all(ratio > 1 for ratio in self.ratios):
            return "better" if higher_is_better else "worse"
        if all(ratio < 1 for ratio in self.ratios):
            return "worse" if higher_is_better else "better"
        return "unclear"


def number(value):
    """Three digits that count."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if size < 10 else f"{value:.1f}"
