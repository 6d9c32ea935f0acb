"""Opens a page in headless Chromium: no error in the console, nothing asked of a network, every chart has marks, tables sort, the JSON
can be downloaded; in both themes and at a phone's width, where nothing may reach beyond the screen. Screenshots go to a folder.

    python3 Benchmarks/Report/check.py PAGE [FOLDER]

Needs playwright from PyPI and a chromium on PATH."""
import json, pathlib, shutil, sys

from playwright.sync_api import sync_playwright

SHAPES = {"light": ("light", 1280, 900), "dark": ("dark", 1280, 900), "phone": ("light", 375, 812), "phone-dark": ("dark", 375, 812)}


def check(page, name, errors):
    """What is wrong with an open page."""
    charts = page.evaluate("""() => [...document.querySelectorAll('.charts .card')].map(card => ({
        id: card.id, svg: !!card.querySelector('svg'), marks: card.querySelectorAll('svg [id*="-mark-"]').length,
        rows: card.querySelectorAll('tbody tr').length, sentence: card.querySelector('.sentence')?.textContent ?? '',
        title: card.querySelector('svg title')?.textContent ?? '', desc: card.querySelector('svg desc')?.textContent ?? '',
        skipped: card.textContent.includes('Left out')}))""")
    if not charts:
        errors.append(f"{name}: there is no chart")
    for chart in charts:
        if not chart["svg"] and chart["rows"] == 0 and chart["skipped"]:
            continue
        for part in ["marks", "rows", "sentence", "title", "desc"]:
            if not chart[part]:
                errors.append(f"{name}: {chart['id']} has no {part}")
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if wide > 0:
        errors.append(f"{name}: the page is {wide} pixels wider than the screen")
    repeated = page.evaluate("""() => { const all = [...document.querySelectorAll('[id]')].map(each => each.id);
        return all.filter((id, place) => all.indexOf(id) !== place) }""")
    if repeated:
        errors.append(f"{name}: ids that are there twice: {repeated[:3]}")
    return len(charts), sum(chart["marks"] for chart in charts)


def sorts(page):
    """Whether a click on the second column of the first table puts its numbers in order."""
    return page.evaluate("""() => {
        const table = document.querySelector('.charts table'), button = table.tHead.querySelectorAll('button')[1];
        const values = () => [...table.tBodies[0].rows].map(row => row.children[1].dataset.value).filter(Boolean).map(Number);
        const rises = list => list.every((each, place) => place === 0 || list[place - 1] <= each);
        button.click(); const up = rises(values()); button.click(); return up && rises(values().reverse()) }""")


def main():
    target = pathlib.Path(sys.argv[1]).resolve()
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        raise SystemExit("There is no chromium, which `apt-get install chromium` brings.")
    errors = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (scheme, width, height) in SHAPES.items():
            page = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": height}, accept_downloads=True).new_page()
            page.on("console", lambda message: errors.append(f"console: {message.text}") if message.type in ("error", "warning") else None)
            page.on("pageerror", lambda error: errors.append(f"script: {error}"))
            page.on("request", lambda request: errors.append(f"asks for {request.url}")
                    if not request.url.startswith(("file:", "data:", "blob:")) else None)
            page.goto(target.as_uri())
            charts, marks = check(page, name, errors)
            if folder:
                folder.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=folder / f"{name}.png", full_page=True)
            if name == "light":
                if not sorts(page):
                    errors.append("a table does not sort")
                before = page.evaluate("getComputedStyle(document.body).backgroundColor")
                page.click("#theme")
                if page.evaluate("getComputedStyle(document.body).backgroundColor") == before:
                    errors.append("the theme does not change")
                with page.expect_download() as download:
                    page.click("#download")
                if "workloads" not in json.loads(pathlib.Path(download.value.path()).read_text()):
                    errors.append("the download is not the report")
        browser.close()
    for error in errors:
        print(error, file=sys.stderr)
    print(f"{target.name}: {charts} charts, {marks} marks, {len(errors)} errors")
    sys.exit(bool(errors))


main()
