"""Measures everything beside everybody, and draws it: one page and its numbers.

    python3 Benchmarks/Report --output report.html                 # all workloads, half an hour
    python3 Benchmarks/Report --quick --output report.html
    python3 Benchmarks/Report --from report.json --output report.html --compare old.json

A run that other programs disturb is good for nothing but trying the machinery: say --under-load, and the page says it."""
import argparse, json, pathlib, sys

import bench, page
from merging import merge
from rival import BENCHMARKS, Places
from workloads import WORKLOADS


def parsed():
    parser = argparse.ArgumentParser(prog="report", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, default=BENCHMARKS / ".build/report.html", help="the page (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="two minutes: fewer workloads, short windows")
    parser.add_argument("--from", type=pathlib.Path, dest="recorded", metavar="JSON", help="draw what an earlier run has written")
    parser.add_argument("--compare", type=pathlib.Path, metavar="JSON", help="an earlier report to compare with")
    parser.add_argument("--pictures", type=pathlib.Path, metavar="FOLDER", help="also write the README's pictures, light and dark")
    parser.add_argument("--into", type=pathlib.Path, metavar="JSON", help="put what is measured, or in --from, in the place of the same in this report")
    parser.add_argument("--only", help="keys of workloads, with commas between them")
    parser.add_argument("--all", action="store_true", help="also count instructions, for which servers are built statically first")
    parser.add_argument("--rounds", type=int, help="turns of each rival (5, with --quick 3)")
    parser.add_argument("--seconds", type=float, help="length of a measured window (0.35, with --quick 0.15; at a rate 2 at least)")
    parser.add_argument("--under-load", action="store_true", help="say on the page that others used the machine meanwhile")
    parser.add_argument("--built", type=pathlib.Path, default=BENCHMARKS / ".build/release", help="where the programs are")
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 5)
    options.seconds = options.seconds or (0.15 if options.quick else 0.35)
    return options


def chosen(options):
    if options.only:
        keys = options.only.split(",")
        if unknown := set(keys) - {workload.key for workload in WORKLOADS}:
            raise SystemExit(f"{', '.join(sorted(unknown))}: there is {', '.join(workload.key for workload in WORKLOADS)}")
        return [workload for workload in WORKLOADS if workload.key in keys]
    return [workload for workload in WORKLOADS if workload.in_quick or not options.quick and (options.all or not getattr(workload, "is_long", False))]


def text(record):
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"


def measure(options):
    from session import Session
    bench.raise_limits()
    options.descriptors = bench.resource.getrlimit(bench.resource.RLIMIT_NOFILE)[0]
    runner = bench.Bench(Places(options.built))
    command = "make report-quick" if options.quick else "make report"
    numbers = options.output.with_suffix(".json")

    def save(record):
        numbers.write_text(text(record))

    record = Session(runner, options, command).run(chosen(options), save)
    print(f"\nThe numbers are in {numbers}.", file=sys.stderr)
    return record


def main():
    options = parsed()
    record = json.loads(options.recorded.read_text()) if options.recorded else measure(options)
    if options.into:
        record = merge(json.loads(options.into.read_text()), record)
        options.into.write_text(text(record))
    old = json.loads(options.compare.read_text()) if options.compare else None
    counts = json.loads((BENCHMARKS / "instructions.json").read_text())
    options.output.write_text(page.Page(record, old, counts).text)
    print(f"The page is in {options.output}.", file=sys.stderr)
    for missing in record["missing"]:
        print(f"Without {missing['name']}, which `{missing['needs']}` brings.", file=sys.stderr)
    if options.pictures:
        page.write_pictures(record, options.pictures)


main()
