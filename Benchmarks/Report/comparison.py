"""Two reports beside each other: ratios to the baseline, as each run had its own minute."""
from arithmetic import CLEAR
from reading import read


def compare(record, old):
    """For each row of both: title, name, the older and the newer ratio (or median), their quotient, and what it means."""
    rows = []
    before = {reading.key: reading for reading in read(old)}
    for reading in read(record):
        earlier = before.get(reading.key)
        for row in reading.rows if earlier else []:
            past = earlier.find(row.name)
            for key in [reading.main["key"]] if reading.workload["chart"] == "bars" else []:
                new, was = row.get(key), past and past.get(key)
                if not new or not was or row.name == reading.baseline or new.ratio is None or not was.ratio:
                    continue
                rows.append((reading.title, row.name, was.ratio, new.ratio, new.ratio / was.ratio, meaning(was, new, reading.main)))
    return rows


def meaning(was, new, measure):
    """A change counts when the rounds of one report do not reach into those of the other."""
    if was.is_noisy or new.is_noisy:
        return "too noisy to conclude"
    if abs(new.ratio / was.ratio - 1) <= CLEAR or not (max(was.ratios) < min(new.ratios) or max(new.ratios) < min(was.ratios)):
        return "no clear change"
    return "better" if (new.ratio > was.ratio) == measure["higher_is_better"] else "worse"
