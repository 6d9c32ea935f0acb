"""Two reports beside each other: ratios to the baseline, as each run had its own minute; figures where a chart has no baseline."""
import dataclasses

from arithmetic import CLEAR, number, spread, NOISY
from reading import read


@dataclasses.dataclass(frozen=True)
class Change:
    title: str
    name: str
    # The older and the newer ratio, or median, and how they are written.
    was: float
    now: float
    unit: str
    meaning: str

    @property
    def times(self):
        return self.now / self.was

    def said(self, value):
        return f"{number(value)} {self.unit}".strip()


def compare(record, old):
    """What both reports have: a row of a bar chart, each point of a line."""
    changes = []
    before = {reading.key: reading for reading in read(old)}
    for reading in read(record):
        earlier = before.get(reading.key)
        for row in reading.rows if earlier else []:
            past = earlier.find(row.name)
            for key in row.summaries if past else []:
                if key.split("@")[0] == reading.main["key"] and past.get(key):
                    changes += change(reading, row, key, past.get(key))
    return changes


def change(reading, row, key, past):
    """One of them; none for what the others are measured against, and for nothing beside nothing."""
    new = row.get(key)
    if row.name == reading.baseline:
        return []
    has_ratio = bool(new.ratio and past.ratio)
    was, now = (past.ratio, new.ratio) if has_ratio else (past.median, new.median)
    if not was:
        return []
    values = (past.ratios, new.ratios) if has_ratio else (past.values, new.values)
    at = f" at {int(key.split('@')[1]):,}" if "@" in key else ""
    return [Change(reading.title, row.name + at, was, now, "" if has_ratio else reading.main["unit"], meaning(*values, was, now, reading.main))]


def meaning(before, after, was, now, measure):
    """A change counts when the rounds of one report do not reach into those of the other."""
    if any(len(values) > 1 and spread(values) > NOISY for values in (before, after)):
        return "too noisy to conclude"
    if abs(now / was - 1) <= CLEAR or not (max(before) < min(after) or max(after) < min(before)):
        return "no clear change"
    return "better" if (now > was) == measure["higher_is_better"] else "worse"
