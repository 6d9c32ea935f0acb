"""One sentence for a chart, computed from its numbers."""
from arithmetic import number


def amount(summary, unit):
    return f"{number(summary.median)} {unit}".strip()


def describe(reading):
    if "sentence" in reading.workload:
        return reading.workload["sentence"]
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
        if reading.is_noisy_line(row, key):
            noisy += 1
            continue
        (start, first), (end, last) = points[0], points[-1]
        parts.append((last.median / first.median if first.median else float("inf"), row, start, end))
    if not parts:
        who = "the one line" if noisy == 1 else f"all {noisy} lines"
        return f"Too noisy to conclude: the rounds of {who} contradict each other." if noisy else "Nothing could be measured."
    parts.sort(key=lambda part: part[0])
    text = open_loop(reading, key, parts) if reading.key == "open-loop" else curves(parts)
    return text + (f" Too noisy to conclude: {noisy} of {noisy + len(parts)} lines." if noisy else "")


def curves(parts):
    (least, flat, start, end), (most, steep, first, last) = parts[0], parts[-1]
    text = f"At {end:,} an event costs {flat.name} {number(least)} times what it does at {start:,}"
    if steep is not flat:
        text += f"; {steep.name}, at {last:,}, {number(most)} times what at {first:,}"
    return text + "."


def open_loop(reading, key, parts):
    """Who has the least latency near its capacity, and this package beside it."""
    end = max(part[3] for part in parts)
    at_end = sorted(((part[1].get(f"{key}@{end}").median, part) for part in parts if part[3] == end), key=lambda each: each[0])
    unit = reading.main["unit"]

    def said(median, part):
        return f"{part[1].name} {number(median)} {unit}, {number(part[0])} times that at {part[2]} %"

    shown = [at_end[0]] + [each for each in at_end[1:] if each[1][1].group == "ours"]
    return f"p99 at {end} % of capacity: {'; '.join(said(*each) for each in shown)}."
