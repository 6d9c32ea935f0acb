"""One sentence for a chart, computed from its numbers; and where this package is behind."""
from arithmetic import number

# More than this above C libuv is behind, and has to be mended or explained.
BEHIND = 1.10


def amount(summary, unit):
    return f"{number(summary.median)} {unit}".strip()


def describe(reading):
    if reading.workload["chart"] == "lines":
        return lines(reading)
    bars = reading.bars()
    if not bars:
        return "Nothing could be measured."
    key, unit = reading.main["key"], reading.main["unit"]
    sure = [row for row in bars if not row.get(key).is_noisy]
    noisy = len(bars) - len(sure)
    tail = f" Too noisy to conclude: {noisy} of {len(bars)} rows." if noisy else ""
    base = reading.find(reading.baseline)
    if base is None or not base.get(key):
        # A row that is too noisy for a number may still be less than every other in all its rounds.
        below = [row for row in bars if row.get(key).is_noisy and not reading.main["higher_is_better"]
                 and all(row.get(key).high < other.get(key).low for other in bars if other is not row)]
        if below:
            return f"The least is {below[0].name} with {number(below[0].get(key).high)} {unit} at most." + tail
        return f"The least is {bars[0].name} with {amount(bars[0].get(key), unit)}." + tail
    if not sure:
        return f"Too noisy to conclude: in all {len(bars)} rows the rounds contradict each other."
    if reading.is_program:
        return program(reading, sure, key, unit) + tail
    best = sure[0]
    ours = [f"{row.name} {number(row.get(key).ratio)} times" for row in sure if row.group == "ours"]
    text = f"The least is {best.name} with {amount(best.get(key), unit)}"
    if ours:
        text += f"; {' and '.join(ours)} what {reading.baseline} takes"
    return text + "." + tail


def program(reading, sure, key, unit):
    """Rows of a program do different things, so that the least says nothing: those of this package beside what they are named after."""
    ours = [row for row in sure if row.group == "ours"]
    if not ours:
        return f"{len(sure)} rows, of which none is this package's."
    ratios = sorted(ours, key=lambda row: row.get(key).ratio or 0)
    first, last = ratios[0], ratios[-1]
    return (f"Of this package's {len(ours)} rows the quickest is {first.name} with {amount(first.get(key), unit)}, "
            f"the slowest {last.name} with {amount(last.get(key), unit)}.")


def lines(reading):
    key = reading.main["key"]
    parts, noisy = [], 0
    for row in reading.rows:
        points = reading.points(row, key)
        if not points:
            continue
        if sum(1 for _, summary in points if summary.is_noisy) * 2 > len(points):
            noisy += 1
            continue
        (start, first), (end, last) = points[0], points[-1]
        parts.append((last.median / first.median if first.median else float("inf"), row.name, start, end))
    if not parts:
        return "Too noisy to conclude." if noisy else "Nothing could be measured."
    parts.sort()
    (least, flat, start, end), (most, steep, first, last) = parts[0], parts[-1]
    text = (f"At {end:,} an event costs {flat} {number(least)} times what it does at {start:,}; {steep}, at {last:,}, {number(most)} "
            f"times what at {first:,}.")
    if reading.key == "open-loop":
        text = (f"At {end} % of its capacity {flat}'s p99 is {number(least)} times that at {start} %, {steep}'s {number(most)} times.")
    return text + (f" Too noisy to conclude: {noisy} of {noisy + len(parts)} lines." if noisy else "")


def behind(readings):
    """Rows of this package that are behind C libuv by more than a tenth, or behind any other rival, in every round: the workload, the
    row, and whom it is behind with how many times."""
    found = []
    for reading in readings:
        if reading.is_program or reading.workload["chart"] == "lines":
            continue
        key = reading.main["key"]
        bars = reading.bars()
        for row in bars:
            mine = row.get(key)
            if row.group != "ours" or mine.is_noisy:
                continue
            rivals = []
            if mine.ratio and mine.ratio > BEHIND and mine.verdict() == "worse":
                rivals.append((reading.baseline, mine.ratio))
            rivals += [(rival.name, mine.median / rival.get(key).median) for rival in bars
                       if rival.group == "other" and rival.name != reading.baseline and not rival.get(key).is_noisy and 0 < rival.get(key).high < mine.low]
            if rivals:
                found.append((reading, row.name, rivals))
    return found
