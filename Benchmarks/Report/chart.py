"""A workload as SVG. matplotlib draws; its colours become variables of the page's style, so that one picture does for light and dark."""
import io, json, re
from html import escape

import matplotlib
matplotlib.use("svg")
from matplotlib import pyplot

from arithmetic import number

# What matplotlib is told, and what stands in its place.
COLOURS = {"text": "#010203", "faint": "#040506", "C": "#0a0b0c", "ours": "#0d0e0f", "model": "#101112", "other": "#131415",
           "back": "#161718"}
LINES = ["#21222%x" % index for index in range(8)]
VARIABLES = {value: f"var(--{name})" for name, value in COLOURS.items()} | {
    value: f"var(--line{index})" for index, value in enumerate(LINES)}
DASHES = ["-", "--", "-.", ":"]
MARKERS = "osD^vPX*"
# In pixels, as dpi is 72. Narrow, so that text is readable on a phone.
WIDTH = 390
matplotlib.rcParams.update({
    "svg.fonttype": "none", "svg.hashsalt": "report", "font.size": 12, "font.family": "sans-serif",
    "text.color": COLOURS["text"], "axes.labelcolor": COLOURS["text"], "xtick.color": COLOURS["text"], "ytick.color": COLOURS["text"],
    "axes.edgecolor": COLOURS["faint"], "grid.color": COLOURS["faint"], "figure.dpi": 72, "axes.spines.top": False,
    "axes.spines.right": False, "axes.spines.left": False, "hatch.linewidth": 0.5,
})


# Drawing takes longer than all else, and pages and pictures show the same.
drawn = {}


def draw(reading, sentence):
    """The SVG, or nothing where nothing was measured."""
    key = json.dumps(reading.workload, sort_keys=True) + sentence + "".join(row.group for row in reading.rows)
    if key not in drawn:
        drawn[key] = draw_anew(reading, sentence)
    return drawn[key]


def draw_anew(reading, sentence):
    figure = lines(reading) if reading.workload["chart"] == "lines" else bars(reading)
    return finish(figure, reading, sentence) if figure else ""


def bars(reading):
    rows = reading.bars()[::-1]
    if not rows:
        return None
    key, unit = reading.main["key"], reading.main["unit"]
    figure, axes = pyplot.subplots(figsize=(WIDTH / 72, (60 + 22 * len(rows)) / 72))
    highest = max(row.get(key).median for row in rows)
    least = min(row.get(key).low for row in rows if row.get(key).low > 0) if any(row.get(key).low > 0 for row in rows) else 1
    # Where one is a thousand times another, bars of the small ones could not be seen.
    is_log = highest / least > 60
    left = least / 2 if is_log else 0
    end = highest * (12 if is_log else 1.55)
    for place, row in enumerate(rows):
        summary = row.get(key)
        if summary.is_noisy:
            axes.plot([max(summary.low, left), min(summary.high, end)], [place, place], color=COLOURS[row.group], linewidth=2,
                      linestyle=":", gid=f"mark-{place}")
            axes.text(left + (0 if not is_log else left * 0.1), place, f" too noisy to conclude ({number(summary.low)}–{number(summary.high)})", va="center",
                      fontsize=11, bbox={"facecolor": COLOURS["back"], "edgecolor": "none", "pad": 1})
            continue
        axes.barh(place, summary.median - left, left=left, height=0.66, color=COLOURS[row.group], gid=f"mark-{place}")
        axes.plot([max(summary.low, left), min(summary.high, end)], [place, place], color=COLOURS["text"], linewidth=1)
        ratio = f"  ×{number(summary.ratio)}" if summary.ratio and reading.shows_ratios else ""
        axes.text(min(max(summary.median, summary.high), end) * (1.05 if is_log else 1) + (0 if is_log else highest * 0.02), place, number(summary.median) + ratio,
                  va="center", fontsize=11, bbox={"facecolor": COLOURS["back"], "edgecolor": "none", "pad": 1})
    axes.set_yticks(range(len(rows)), [shorten(row.name) for row in rows])
    if is_log:
        axes.set_xscale("log")
    axes.set_xlim(left, end)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.grid(True, linewidth=0.4)
    axes.set_axisbelow(True)
    direction = "more is better" if reading.main["higher_is_better"] else "less is better"
    label = f"{reading.main['title']}{', ' + unit if unit else ''}; {direction}"
    if reading.shows_ratios:
        label += f"\n× is the ratio to {shorten(reading.baseline, 46)}"
    axes.set_xlabel(label, fontsize=11)
    figure.tight_layout(pad=0.5)
    return figure


def lines(reading):
    key, unit = reading.main["key"], reading.main["unit"]
    figure, axes = pyplot.subplots(figsize=(WIDTH / 72, 330 / 72))
    drawn = 0
    for row in reading.rows:
        points = reading.points(row, key)
        if not points:
            continue
        if reading.is_noisy_line(row, key):
            # A name in the legend only: it has no number.
            axes.plot([], [], color=COLOURS["faint"], linestyle=":", label=f"{row.name}: too noisy")
            drawn += 1
            continue
        index = drawn % len(LINES)
        axes.plot([number for number, _ in points], [summary.median for _, summary in points], color=LINES[index], linewidth=1.8,
                  linestyle=DASHES[drawn // 8 % 4], marker=MARKERS[index], markersize=4, label=row.name, gid=f"mark-{drawn}")
        drawn += 1
    if not drawn:
        pyplot.close(figure)
        return None
    if not axes.has_data() or not any(len(line.get_xdata()) for line in axes.lines):
        axes.text(0.5, 0.5, "too noisy to conclude", transform=axes.transAxes, ha="center", gid="mark-none")
        # Nothing stands on these axes.
        axes.set(xticks=[], yticks=[])
    elif reading.key == "open-loop":
        axes.set_yscale("log")
        axes.set_xlabel("% of the server's capacity")
    else:
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("idle connections")
    axes.set_ylabel(f"{reading.main['title']}, {unit}", fontsize=11)
    axes.grid(True, linewidth=0.4)
    axes.legend(fontsize=11, ncol=2, loc="upper center", bbox_to_anchor=(0.42, -0.17), frameon=False)
    figure.tight_layout(pad=0.5)
    return figure


def shorten(name, most=30):
    return name if len(name) <= most else name[:most - 1] + "…"


def finish(figure, reading, sentence):
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
                   bbox_inches="tight", pad_inches=0.05)
    pyplot.close(figure)
    text = re.sub(r"\A.*?(?=<svg)", "", file.getvalue(), flags=re.S)
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.S)
    # The page holds many: their names must not meet.
    prefix = reading.key
    text = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', text)
    text = re.sub(r'(xlink:href="#|url\(#)', rf"\1{prefix}-", text)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, variable)
    text = re.sub(r"font: ([^;\"]*?)(?:'[^']*'|sans-serif).*?(?=[;\"])", r"font: \1 var(--font)", text)
    size = re.search(r'viewBox="([^"]+)"', text)[1]
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="{size}" role="img" '
            f'aria-labelledby="{prefix}-title {prefix}-desc"><title id="{prefix}-title">{escape(reading.title)}</title>'
            f'<desc id="{prefix}-desc">{escape(sentence)} The table below has the numbers.</desc>')
    return re.sub(r"<svg[^>]*>", lambda _: head, text, count=1)
