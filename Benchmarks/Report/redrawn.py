"""Fails when docs/report.html or one of the README's pictures is not what docs/report.json and instructions.json give.

    python3 Benchmarks/Report/redrawn.py [PAGE]     # also writes a page that compares the report with itself

matplotlib brings its own font, and Scripts/report-python its version, so that the same numbers give the same bytes everywhere."""
import difflib, json, pathlib, sys, tempfile

import page
from rival import BENCHMARKS

DOCS = BENCHMARKS.parent / "docs"


def drawn(record, counts, folder):
    """The page and the pictures as they should be, by name."""
    page.write_pictures(record, folder)
    return {"report.html": page.Page(record, counts=counts).text} | {file.name: file.read_text() for file in sorted(folder.glob("*.svg"))}


def difference(is_there, should_be):
    """The first lines that differ, short enough to read."""
    lines = difflib.unified_diff(is_there.splitlines(), should_be.splitlines(), "committed", "redrawn", n=0, lineterm="")
    return [line[:200] for _, line in zip(range(12), lines)]


def main():
    record = json.loads((DOCS / "report.json").read_text())
    counts = json.loads((BENCHMARKS / "instructions.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        wrong = [(name, text) for name, text in drawn(record, counts, pathlib.Path(folder)).items()
                 if not (DOCS / name).exists() or (DOCS / name).read_text() != text]
    if len(sys.argv) > 1:
        pathlib.Path(sys.argv[1]).write_text(page.Page(record, record, counts).text)
    for name, text in wrong:
        print(f"docs/{name} is not the redraw of its numbers, which `make report-page` makes:", file=sys.stderr)
        print(*difference((DOCS / name).read_text() if (DOCS / name).exists() else "", text), sep="\n", file=sys.stderr)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
