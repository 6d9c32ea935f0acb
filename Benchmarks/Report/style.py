"""Colours and layout of the page; the pictures for elsewhere take theirs from here, too."""

FONT = "system-ui, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif"
LIGHT = {"text": "#1d2430", "faint": "#c4cad4", "back": "#ffffff", "page": "#f4f6f9", "link": "#0a58c2", "C": "#7a8594", "ours": "#d1491b",
         "model": "#2a78b8", "other": "#5d9e62", "line0": "#6b7683", "line1": "#0b7a75", "line2": "#d1491b", "line3": "#1b63a8",
         "line4": "#7b3fa0", "line5": "#7a6200", "line6": "#a3195b", "line7": "#4a4fb5"}
DARK = {"text": "#e8ecf2", "faint": "#465062", "back": "#1a202b", "page": "#11151d", "link": "#7db4ff", "C": "#8d99aa", "ours": "#ff8552",
        "model": "#5ba9ea", "other": "#7cc482", "line0": "#aab4c2", "line1": "#4fd1c5", "line2": "#ff8552", "line3": "#6db3f2",
        "line4": "#c792ea", "line5": "#e3c34f", "line6": "#ff85b8", "line7": "#a3a8ff"}


def variables(colours):
    return "".join(f"--{name}:{value};" for name, value in colours.items())


CSS = f"""
:root{{{variables(LIGHT)}--font:{FONT};color-scheme:light}}
@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{variables(DARK)}color-scheme:dark}}}}
:root[data-theme=dark]{{{variables(DARK)}color-scheme:dark}}
""" + """
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 var(--font)}
main,header,footer{max-width:1120px;margin:0 auto;padding:0 16px}
h1{font-size:1.7rem;margin:1.4rem 0 .3rem}h2{font-size:1.15rem;margin:.1rem 0 .4rem}
a{color:var(--link)}
button{font:inherit;color:inherit;background:var(--back);border:1px solid var(--faint);border-radius:6px;padding:.3rem .7rem;cursor:pointer}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,460px),1fr));gap:16px;align-items:start}
.card{background:var(--back);border:1px solid var(--faint);border-radius:10px;padding:14px;min-width:0}
.card svg{display:block;width:100%;height:auto}
.warning{border-left:5px solid var(--ours);background:var(--back);padding:.6rem .9rem;margin:1rem 0}
.sentence{font-weight:600}.small{font-size:.87rem}
code{font-size:.85rem;overflow-wrap:anywhere}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.84rem;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .5rem;text-align:right;border-bottom:1px solid var(--faint);white-space:nowrap}
th:first-child,td:first-child,.words td,.words th{text-align:left}
.words{min-width:560px}.words td{white-space:normal}
section.card{margin-bottom:16px}.charts section.card{margin:0}.charts{margin-bottom:16px}
@media (max-width:480px){main,header,footer{padding:0 8px}.card{padding:10px}}
@media (max-width:600px){.stack{min-width:0}.stack thead{display:none}.stack tr{display:block;padding:.5rem 0;border-bottom:1px solid var(--faint)}
.stack td{display:block;border:0;padding:.1rem 0}.stack td::before{content:attr(data-label) ": ";opacity:.75}}
th button{border:0;padding:0;background:none;font-weight:600}
th[aria-sort=ascending] button::after{content:" ▲"}th[aria-sort=descending] button::after{content:" ▼"}
details{margin-top:.5rem}summary{cursor:pointer}
.key span{display:inline-block;margin-right:1rem}.key i{display:inline-block;width:.9em;height:.9em;margin-right:.35em;vertical-align:-.1em;border-radius:2px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem .8rem;font-size:.87rem}dt{opacity:.8}dd{margin:0;overflow-wrap:anywhere}
"""

SCRIPT = """
for (const button of document.querySelectorAll("th button")) button.addEventListener("click", () => {
    const head = button.closest("th"), row = head.parentNode, body = row.closest("table").tBodies[0];
    const place = [...row.children].indexOf(head), rises = head.getAttribute("aria-sort") !== "ascending";
    for (const other of row.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", rises ? "ascending" : "descending");
    const value = line => line.children[place].dataset.value ?? line.children[place].textContent;
    const compare = (a, b) => isNaN(a) || isNaN(b) || a === "" || b === "" ? String(a).localeCompare(String(b)) : a - b;
    body.append(...[...body.rows].sort((a, b) => compare(value(a), value(b)) * (rises ? 1 : -1)));
});
document.getElementById("theme").addEventListener("click", () => {
    const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = (root.dataset.theme ?? (dark ? "dark" : "light")) === "dark" ? "light" : "dark";
});
document.getElementById("download").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([document.getElementById("numbers").textContent], { type: "application/json" }));
    link.download = "report.json";
    link.click();
});
"""
