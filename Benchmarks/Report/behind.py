"""Where this package is behind, round by round: C on libuv by more than a tenth, or any rival at all."""
import dataclasses, re, statistics

from arithmetic import spread, NOISY

# More than this above C is behind, and has to be mended or explained.
BEHIND = 1.10
# Rivals get no such room; what is written as 1.00 times is level.
LEVEL = 1.005
# Beside a chart's first measure: the other figures of a closed loop follow from the first.
ALSO = ("resident",)
# C that does the same work by other means: rivals, and no floor that a chart is measured against.
RIVALS_IN_C = ("C epoll", "cp -r", "rm -rf")

# What rows of one chart do the same: only those are compared. Other charts have rows of one kind.
KINDS = {
    "lines": lambda name: "file" if name.startswith("file.") else "alone" if "chunks only" in name else "connection",
    "loops": lambda name: name[-1],
    "processes": lambda name: name.endswith("one by one"),
    "tasks-channel": lambda name: bool(re.search(r"room for [1-9]", name)),
}


@dataclasses.dataclass(frozen=True)
class Ahead:
    """A rival that is ahead, and how many times; no number where the rounds contradict each other too much for one."""
    name: str
    times: float | None
    is_c: bool
    # Of a chart of lines: at which numbers.
    at: tuple = ()


@dataclasses.dataclass(frozen=True)
class Behind:
    reading: object
    name: str
    measure: dict
    rivals: list

    @property
    def key(self):
        """By which its reason is found."""
        if self.measure["key"] in ALSO:
            return (self.measure["key"], layer(self.name))
        return (self.reading.key, self.name)


def layer(name):
    """Whose memory it is, whatever the chart calls the row: `local: callbacks`, `AsyncUV, loops: 2`."""
    if "callbacks" in name:
        return "UV callbacks"
    return "AsyncUV" if re.search(r"AsyncUV|async", name) else name


def plain(name):
    """A rival's name without what the chart adds."""
    return re.sub(r"^(local|UDP): |, (loops|threads|processors): \d+$", "", name)


def pairs(mine, theirs):
    """Rounds of both. A peer that has one figure only is beside each of ours."""
    if len(theirs) == 1:
        theirs = theirs * len(mine)
    elif len(mine) == 1:
        mine = mine * len(theirs)
    return list(zip(mine, theirs))


def is_ahead(worse, rounds):
    """Four rounds of five, or the same share of those there are."""
    return rounds > 0 and worse >= -(-4 * rounds // 5)


def times_behind(mine, theirs, higher_is_better, room):
    """How many times what the rival takes: nothing if ours is not behind. Noise leaves the fact, and takes the number."""
    both = pairs(mine, theirs)
    if higher_is_better:
        both = [(rival, ours) for ours, rival in both]
    ratios = [ours / rival for ours, rival in both if rival > 0]
    if not is_ahead(sum(ours > rival for ours, rival in both), len(both)) or not ratios:
        return None
    middle = statistics.median(ratios)
    return (middle, len(ratios) > 1 and spread(ratios) > NOISY) if middle > room else None


def room_of(row):
    return BEHIND if row.group == "C" and row.name not in RIVALS_IN_C else LEVEL


def rivals_of(reading, row, measure):
    """All who are ahead of a row, C first, then the fastest."""
    kind = KINDS.get(reading.key, lambda name: None)
    found = []
    for rival in reading.rows:
        if rival.group not in ("C", "other") or kind(rival.name) != kind(row.name):
            continue
        at = {}
        for key in row.values:
            if key.split("@")[0] != measure["key"] or not rival.values.get(key) or not row.values[key]:
                continue
            times = times_behind(row.values[key], rival.values[key], measure["higher_is_better"], room_of(rival))
            if times:
                at[key] = times
        if at:
            sure = [times for times, is_noisy in at.values() if not is_noisy]
            numbers = tuple(int(key.split("@")[1]) for key in at if "@" in key)
            found.append(Ahead(rival.name, max(sure) if sure else None, rival.group == "C", numbers))
    return sorted(found, key=lambda each: (not (each.is_c and each.name == reading.baseline), -(each.times or 0), each.name))


def behind(readings):
    """Each row of this package that is behind, by the chart's first measure and by memory."""
    found = []
    for reading in readings:
        for place, measure in enumerate(reading.measures):
            if place > 0 and measure["key"] not in ALSO:
                continue
            for row in reading.rows:
                rivals = rivals_of(reading, row, measure) if row.group == "ours" else []
                if rivals:
                    found.append(Behind(reading, row.name, measure, rivals))
    return found


def grouped(found):
    """Those with one reason for all workloads are one: the first of each list, with all of its kind."""
    lists = {}
    for each in found:
        lists.setdefault(each.key, []).append(each)
    return list(lists.values())
