"""The page: one file that needs nothing else."""
import json, re
from html import escape

import chart, sentence, style
from arithmetic import number
from behind import ALSO, behind, grouped, plain
from comparison import compare
from explanations import is_unexplained, reason
from kept import with_counts
from merging import runs_of
from reading import read

GROUPS = {"ours": "this package", "C": "C", "model": "Readiness, a model each", "other": "others"}

# Versions that a reader looks for.
WANTED = ("distribution", "libuv", "Swift", "swift-nio", "tokio", "nginx", "OpenSSL", "redis-server")

# What is drawn for the README, and the names of the files.
PICTURES = {"echo-1KiB-50": "echo", "curves": "idle-connections"}


def machine_day(record):
    return record["machine"]["began"][:10]


class Page:
    def __init__(self, record, old=None, counts=None):
        """`counts` are the kept ones of instructions."""
        self.record, self.old, self.readings = record, old, read(record, with_counts(record, counts))

    @property
    def text(self):
        numbers = json.dumps(self.record, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
        return (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
                f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>swift-uv: benchmarks</title>'
                # No icon is asked for.
                f'<link rel="icon" href="data:,"><style>{style.CSS}</style></head>\n<body>\n{self.head}\n<main>\n{self.comparison}\n'
                f'<div class="charts">\n{"".join(map(self.card, self.readings))}</div>\n{self.behind}\n{self.method}\n</main>\n'
                f'<script type="application/json" id="numbers">{numbers}</script>\n<script>{style.SCRIPT}</script>\n</body></html>\n')

    @property
    def head(self):
        record, machine = self.record, self.record["machine"]
        key = "".join(f'<span><i style="background:var(--{group})"></i>{title}</span>' for group, title in GROUPS.items())
        state = f"{machine['commit'][:12]}{', with changes' if machine['isChanged'] else ''}"
        return (f"<header><h1>swift-uv beside its rivals</h1><p>{escape(machine['began'][:10])}, {escape(machine['processor'])}, "
                f"{machine['cores']} cores, Linux {escape(machine['kernel'])}, commit {escape(state)}. {record['rounds']} interleaved "
                f"rounds; bars are medians, thin lines reach from the least to the most, × is the ratio to the row that the chart "
                f"names, of the same round.</p>{self.parts}{self.warning}<p class='key'>{key}</p><p><button id='download'>Download the numbers (JSON)</button> "
                f"<button id='theme'>Light or dark</button></p></header>")

    @property
    def parts(self):
        """Of a report that was put together: from what."""
        record, said = self.record, []
        history = record.get("history", [])
        if history:
            first, last = history[0], history[-1]
            commits = ", ".join(f"{each['commit'][:12]} ({each['date'][:16].replace('T', ' ')}: {len(each['workloads'])})" for each in history)
            said.append(f"This report was put together from several runs of {machine_day(record)} to {last['date'][:10]}, which did not record the commit and the time "
                        f"of each workload. The date and commit above are those of the first. Git has the figures in docs/report.json since "
                        f"these commits, between {first['date'][:16].replace('T', ' ')} and {last['date'][:16].replace('T', ' ')} UTC, with so many charts each: {commits}. "
                        f"Each chart names its own.")
        elif len(record.get("runs", [])) > 1:
            said.append(f"This report was put together from {len(record['runs'])} runs. The date and commit above are those of the first; each chart names its own.")
        return "".join(f"<p>{escape(each)}</p>" for each in said)

    def measured(self, reading):
        """When and at which commit a chart was measured."""
        if reading.workload.get("isKept"):
            return ""
        seconds = reading.workload.get("seconds")
        # Of charts that one program fills, the first has the time of all.
        took = f" in {number(seconds)} s" if seconds and seconds >= 0.1 else ""
        if run := reading.workload.get("measured"):
            changed = ", with changes" if run["isChanged"] else ""
            load = ", while others used the machine" if run["isUnderLoad"] else ""
            return f"Measured {run['began'][:16].replace('T', ' ')} UTC at commit {run['commit'][:12]}{changed}{took}{load}."
        for commit in self.record.get("history", []):
            if reading.key in commit["workloads"]:
                return f"Measured{took} before {commit['date'][:16].replace('T', ' ')} UTC, when commit {commit['commit'][:12]} brought its figures."
        return f"Measured in the run of {self.record['machine']['began'][:16].replace('T', ' ')} UTC{took}."

    @property
    def warning(self):
        record = self.record
        said = []
        if record["isUnderLoad"]:
            said.append("Other programs used this machine during the run: take ratios for what they are worth, and times for nothing.")
        elif record["machine"]["loadAverage"] > 0.7 * record["machine"]["cores"]:
            said.append(f"The load average was {record['machine']['loadAverage']:.1f} when the run began: the machine was not quiet.")
        if record["isQuick"]:
            said.append("A quick run: few rounds, short windows, fewer workloads.")
        return f"<p class='warning' role='note'>{' '.join(said)}</p>" if said else ""

    # MARK: A chart

    def card(self, reading):
        said = sentence.describe(reading)
        skipped = "; ".join(f"{each['name']}: {each['reason']}" for each in reading.workload["skipped"])
        left_out = f"<p class='small'>Left out: {escape(skipped)}.</p>" if skipped else ""
        rounds = max((len(each) for row in reading.workload["rows"] for each in row["values"].values()), default=0)
        fewer = f" {rounds} round{'' if rounds == 1 else 's'} here." if 0 < rounds < self.record["rounds"] else ""
        command = reading.workload.get("command") or f"{self.record['command']} OPTIONS=\"--only {reading.key}\""
        against = f" Ratios are to {reading.baseline}." if reading.has_baseline else " Without ratios: there is no row to compare with."
        if reading.workload.get("isKept"):
            against = fewer = ""
        return (f"<section class='card' id='{reading.key}' aria-labelledby='{reading.key}-h'><h2 id='{reading.key}-h'>"
                f"{escape(reading.title)}</h2><p class='sentence'>{escape(said)}</p>{chart.draw(reading, said)}"
                f"<details><summary>Table</summary>{self.table(reading)}</details>"
                f"<p class='small'>{words(reading.workload['method'])}{escape(against)}{fewer} {escape(self.measured(reading))} <code>{escape(command)}</code></p>{left_out}</section>\n")

    def table(self, reading):
        head = ["name"]
        columns = []
        for measure in reading.measures:
            keys = sorted({key for row in reading.rows for key in row.summaries if key.split("@")[0] == measure["key"]},
                          key=lambda key: int(key.split("@")[1]) if "@" in key else 0)
            for key in keys:
                columns.append(key)
                head.append(f"{measure['title']}{', ' + measure['unit'] if measure['unit'] else ''}"
                            + (f" at {int(key.split('@')[1]):,}" if "@" in key else ""))
        head[2:2] = ([f"ratio to {reading.baseline}"] if reading.has_baseline else []) + ["least–most"] if columns else []
        lines = []
        for row in reading.rows:
            cells = [f"<th scope='row'>{escape(row.name)}</th>"]
            for place, key in enumerate(columns):
                summary = row.get(key)
                cells.append(self.cell(summary))
                if place == 0:
                    cells += self.ratio(summary)[0 if reading.has_baseline else 1:]
            lines.append(f"<tr>{''.join(cells)}</tr>")
        return (f"<div class='wide' tabindex='0' role='region' aria-label='Table: {escape(reading.title)}'><table><thead><tr>"
                + "".join(f"<th scope='col'><button>{escape(each)}</button></th>" for each in head)
                + f"</tr></thead><tbody>{''.join(lines)}</tbody></table></div>")

    def cell(self, summary):
        if summary is None:
            return "<td data-value=''>–</td>"
        return f"<td data-value='{summary.median:.6g}'>{number(summary.median)}</td>"

    def ratio(self, summary):
        if summary is None:
            return ["<td data-value=''>–</td>"] * 2
        spread = f"<td data-value='{summary.low:.6g}'>{number(summary.low)}–{number(summary.high)}</td>"
        if summary.is_noisy:
            return ["<td data-value=''>too noisy</td>", spread]
        return [f"<td data-value='{summary.ratio:.6g}'>{number(summary.ratio)}</td>" if summary.ratio else "<td data-value=''>–</td>", spread]

    # MARK: Below and above

    @property
    def behind(self):
        groups = grouped(behind(self.readings))
        title = "<section class='card' id='behind'><h2>Where this package is behind</h2>"
        rule = ("Behind is, in at least four rounds of five, more than 10 % above C (on libuv, or the bare system call, ring or child task that a chart is measured "
                "against), or above any rival at all. Judged are the first measure of each chart and resident memory; rates, latencies and context switches of closed "
                "loops are in the tables only. The models of Readiness are this package's own, and no rivals.")
        if not groups:
            return title + f"<p>In no row. {rule}</p></section>"
        reasons = [reason(group[0]) for group in groups]
        heads = ["workload", "ours", "behind", "why"]
        lines = "".join("<tr>" + "".join(f"<td data-label='{head}'>{words(cell)}</td>" for head, cell in zip(
            heads, [self.where(group), group[0].key[1], whom(group), why])) + "</tr>" for group, why in zip(groups, reasons))
        count = sum(map(is_unexplained, reasons))
        return (title + f"<p class='sentence'>Rows: {len(groups)}. Not yet explained, or not in full: {count}.</p><p>{rule}</p><div class='wide' tabindex='0' "
                "role='region' aria-label='Where this package is behind'><table class='words stack'><thead><tr>"
                + "".join(f"<th scope='col'><button>{each}</button></th>" for each in heads)
                + f"</tr></thead><tbody>{lines}</tbody></table></div></section>")

    def where(self, group):
        first, charts = group[0], {each.reading.key for each in group}
        if first.measure["key"] not in ALSO:
            return first.reading.title
        return f"{first.measure['title']}: " + (first.reading.title if len(charts) == 1 else f"{len(charts)} charts")

    @property
    def comparison(self):
        if not self.old:
            return ""
        rows = compare(self.record, self.old)
        changed = [row for row in rows if row.meaning in ("better", "worse")]
        lines = "".join(
            f"<tr><td>{escape(row.title)}</td><td>{escape(row.name)}</td><td data-value='{row.was:.6g}'>{escape(row.said(row.was))}</td><td data-value='{row.now:.6g}'>"
            f"{escape(row.said(row.now))}</td><td data-value='{row.times:.6g}'>{(row.times - 1) * 100:+.0f} %</td><td>{row.meaning}</td></tr>"
            for row in rows)
        better, worse = (sum(row.meaning == meaning for row in rows) for meaning in ("better", "worse"))
        return (f"<section class='card' id='comparison'><h2>Beside the report of {escape(self.old['machine']['began'][:10])}, commit "
                f"{escape(self.old['machine']['commit'][:12])}</h2><p class='sentence'>{len(changed)} of {len(rows)} figures have changed "
                f"clearly: {better} better, {worse} worse.</p><p class='small'>Ratios to each chart's baseline; where there is none, figures with their unit.</p>"
                f"<details open><summary>Table</summary><div class='wide' tabindex='0' role='region' aria-label='Comparison'>"
                f"<table class='words'><thead><tr>"
                + "".join(f"<th scope='col'><button>{each}</button></th>" for each in ["workload", "name", "then", "now", "change", "meaning"])
                + f"</tr></thead><tbody>{lines}</tbody></table></div></details></section>")

    @property
    def took(self):
        """Of one run alone: the time of several is nobody's."""
        is_one = "seconds" in self.record and not self.record.get("history") and len(runs_of(self.record)) == 1
        return f"The whole run took {self.record['seconds']:.0f} s: " if is_one else "The command of a whole run: "

    @property
    def method(self):
        machine = self.record["machine"]
        known = {}
        for run in runs_of(self.record):
            for name, version in run["versions"].items():
                known.setdefault(name, []).append(version)
        versions = "".join(f"<dt>{escape(name)}</dt><dd>{escape(', later '.join(dict.fromkeys(each)))}</dd>" for name, each in known.items())
        unknown = ", ".join(name for name in WANTED if name not in known)
        unknown = f"<p class='small'>Versions that were not recorded: {escape(unknown)}.</p>" if unknown else ""
        missing = "".join(f"<li>{escape(each['name'])}: <code>{escape(each['needs'])}</code> brings it.</li>" for each in self.record["missing"])
        missing = f"<h2>Not measured, as it was not there</h2><ul>{missing}</ul>" if missing else ""
        return (f"<section class='card'>{missing}<h2>How it was measured</h2><p>Every server is a fresh process on core 0 with one thread "
                f"that does the IO; the load is C on epoll, on core 1. Rounds go through all rivals and begin with another one each time; a "
                f"ratio is taken within a round. Where the middle half of the ratios is wider than a quarter of their median, the chart says "
                f"that the run is too noisy instead of a number. CPU time includes what the kernel does in the server's name. Latencies are "
                f"of HdrHistogram, and end with the last byte of the echo. Resident memory is the most that a process ever "
                f"had (VmHWM), pages of shared libraries included: most of ours is the Swift program as such, as the servers of Readiness show, which "
                f"have no loop of libuv. {self.took}<code>{escape(self.record['command'])}</code>.</p><dl>{versions}</dl>{unknown}</section>")


def words(text):
    """What stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def whom(group):
    """Who is ahead: C first, then the fastest; last those of whom noise leaves no number. Of several charts, from the least to the most."""
    rivals = {}
    for each in group:
        for rival in each.rivals:
            rivals.setdefault(plain(rival.name) if each.measure["key"] in ALSO else rival.name, []).append(rival)
    said, noisy = [], []
    for name, found in rivals.items():
        points = sorted({point for each in found for point in each.at})
        at = f" (at {', '.join(f'{point:,}' for point in points)})" if points else ""
        times = sorted(each.times for each in found if each.times)
        if not times:
            noisy.append(name + at)
            continue
        least, most = number(times[0]), number(times[-1])
        said.append(f"{name} {least if least == most else f'{least}–{most}'} times{at}")
    return "; ".join(said + ([f"{', '.join(noisy)}: in most rounds, but too noisy for a number"] if noisy else []))


def write_pictures(record, folder):
    """Two charts as pictures that stand alone, in both themes."""
    for reading in read(record):
        if reading.key in PICTURES:
            write_picture(reading, folder)


def write_picture(reading, folder):
    picture = chart.draw(reading, sentence.describe(reading))
    for name, colours in [("light", style.LIGHT), ("dark", style.DARK)]:
        text = picture
        for variable, value in (colours | {"font": style.FONT}).items():
            text = text.replace(f"var(--{variable})", value)
        x, y, width, height = map(float, re.search(r'viewBox="([^"]+)"', text)[1].split())
        back = f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{colours["back"]}"/>'
        text = re.sub(r"</desc>", lambda match: match[0] + back, text, count=1)
        (folder / f"{PICTURES[reading.key]}-{name}.svg").write_text(text.strip() + "\n")
