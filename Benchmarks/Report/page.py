"""The page: one file that needs nothing else."""
import json, re
from html import escape

import chart, sentence, style
from arithmetic import number
from comparison import compare
from explanations import EXPLANATIONS
from reading import read

GROUPS = {"ours": "this package", "C": "C", "model": "Readiness, a model each", "other": "others"}

# What is drawn for the README, and the names of the files.
PICTURES = {"echo-1KiB-50": "echo", "curves": "idle-connections"}


class Page:
    def __init__(self, record, old=None):
        self.record, self.old, self.readings = record, old, read(record)

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
                f"rounds; bars are medians, thin lines reach from the least to the most, × is the ratio to C on libuv of the same "
                f"round.</p>{self.warning}<p class='key'>{key}</p><p><button id='download'>Download the numbers (JSON)</button> "
                f"<button id='theme'>Light or dark</button></p></header>")

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
        words = sentence.describe(reading)
        skipped = "; ".join(f"{each['name']}: {each['reason']}" for each in reading.workload["skipped"])
        left_out = f"<p class='small'>Left out: {escape(skipped)}.</p>" if skipped else ""
        rounds = max((len(each) for row in reading.workload["rows"] for each in row["values"].values()), default=0)
        fewer = f" {rounds} round{'' if rounds == 1 else 's'} here." if 0 < rounds < self.record["rounds"] else ""
        command = f"{self.record['command']} OPTIONS=\"--only {reading.key}\""
        return (f"<section class='card' id='{reading.key}' aria-labelledby='{reading.key}-h'><h2 id='{reading.key}-h'>"
                f"{escape(reading.title)}</h2><p class='sentence'>{escape(words)}</p>{chart.draw(reading, words)}"
                f"<details><summary>Table</summary>{self.table(reading)}</details>"
                f"<p class='small'>{escape(reading.workload['method'])}{fewer} <code>{escape(command)}</code></p>{left_out}</section>\n")

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
        head[2:2] = ["ratio", "least–most"] if columns else []
        lines = []
        for row in reading.rows:
            cells = [f"<th scope='row'>{escape(row.name)}</th>"]
            for place, key in enumerate(columns):
                summary = row.get(key)
                cells.append(self.cell(summary))
                if place == 0:
                    cells += self.ratio(summary)
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
        found = sentence.behind(self.readings)
        title = "<section class='card'><h2>Where this package is behind</h2>"
        if not found:
            return title + "<p>In no row that can be told from noise: behind is more than 10 % above C libuv, or above any rival in every round.</p></section>"
        lines = "".join(
            f"<tr><td>{escape(reading.title)}</td><td>{escape(name)}</td><td>"
            f"{escape(', '.join(f'{rival} {number(ratio)} times' for rival, ratio in rivals))}</td>"
            f"<td>{escape(EXPLANATIONS.get((reading.key, name), EXPLANATIONS.get(name, 'not yet explained')))}</td></tr>"
            for reading, name, rivals in found)
        return (title + "<p>More than 10 % above C libuv, or above a rival in every round.</p><div class='wide' tabindex='0' role='region' "
                "aria-label='Where this package is behind'><table class='words'><thead><tr>"
                + "".join(f"<th scope='col'><button>{each}</button></th>" for each in ["workload", "ours", "behind", "why"])
                + f"</tr></thead><tbody>{lines}</tbody></table></div></section>")

    @property
    def comparison(self):
        if not self.old:
            return ""
        rows = compare(self.record, self.old)
        changed = [row for row in rows if row[5] in ("better", "worse")]
        lines = "".join(
            f"<tr><td>{escape(title)}</td><td>{escape(name)}</td><td data-value='{was:.6g}'>{number(was)}</td><td data-value='{new:.6g}'>"
            f"{number(new)}</td><td data-value='{change:.6g}'>{(change - 1) * 100:+.0f} %</td><td>{meaning}</td></tr>"
            for title, name, was, new, change, meaning in rows)
        return (f"<section class='card' id='comparison'><h2>Beside the report of {escape(self.old['machine']['began'][:10])}, commit "
                f"{escape(self.old['machine']['commit'][:12])}</h2><p class='sentence'>{len(changed)} of {len(rows)} ratios have changed "
                f"clearly: {sum(row[5] == 'better' for row in changed)} better, {sum(row[5] == 'worse' for row in changed)} worse.</p>"
                f"<details open><summary>Table</summary><div class='wide' tabindex='0' role='region' aria-label='Comparison'>"
                f"<table class='words'><thead><tr>"
                + "".join(f"<th scope='col'><button>{each}</button></th>" for each in ["workload", "name", "ratio then", "ratio now", "change", "meaning"])
                + f"</tr></thead><tbody>{lines}</tbody></table></div></details></section>")

    @property
    def method(self):
        machine = self.record["machine"]
        versions = "".join(f"<dt>{escape(name)}</dt><dd>{escape(version)}</dd>" for name, version in machine["versions"].items())
        missing = "".join(f"<li>{escape(each['name'])}: <code>{escape(each['needs'])}</code> brings it.</li>" for each in self.record["missing"])
        missing = f"<h2>Not measured, as it was not there</h2><ul>{missing}</ul>" if missing else ""
        return (f"<section class='card'>{missing}<h2>How it was measured</h2><p>Every server is a fresh process on core 0 with one thread "
                f"that does the IO; the load is C on epoll, on core 1. Rounds go through all rivals and begin with another one each time; a "
                f"ratio is taken within a round. Where the middle half of the ratios is wider than a quarter of their median, the chart says "
                f"that the run is too noisy instead of a number. CPU time includes what the kernel does in the server's name. Latencies are "
                f"of HdrHistogram, and end with the last byte of the echo. The whole run took {self.record['seconds']:.0f} s: "
                f"<code>{escape(self.record['command'])}</code>.</p><dl>{versions}</dl></section>")


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
