"""Tables of the documentation that are made from doc comments: what calls libuv's functions, and what a cancelled call leaves behind."""
import collections, re
import symbols

CLAIM = re.compile(r"(Calls|Replaces) (`uv_\w+`(?:(?:,| and) `uv_\w+`)*)")
CANCELLATION = re.compile(r"Cancellation(?:,? and (timeout|any error)|, timeout, and any error)?: (.*)")


def named(graphs):
    """(symbol, its name, its comment's paragraphs). The name is a link where it stands for one symbol of the module itself."""
    # Without what a type has from a protocol: it stands with the protocol.
    given = {relation["source"] for graph in graphs for relation in graph["relationships"] if relation["kind"] == "defaultImplementationOf"}
    own = [symbol for graph in graphs for symbol in symbols.symbols(graph)
           if "::SYNTHESIZED::" not in symbol["identifier"]["precise"] and symbol["identifier"]["precise"] not in given]
    paths = collections.Counter("/".join(symbol["pathComponents"]) for symbol in own)
    extensions = {symbol["identifier"]["precise"] for graph in graphs[1:] for symbol in graph["symbols"]}
    for symbol in own:
        path = "/".join(symbol["pathComponents"])
        is_link = paths[path] == 1 and symbol["identifier"]["precise"] not in extensions
        text = "\n".join(line["text"].strip() for line in symbol.get("docComment", {}).get("lines", []))
        # A link to a member shows the member's name only.
        owner = f"`{'.'.join(symbol['pathComponents'][:-1])}` " if "/" in path else ""
        yield symbol, f"{owner}``{path}``" if is_link else f"`{path.replace('/', '.')}`", re.split(r"\n\s*\n|\n(?=- )", text)


def functions(graphs):
    """libuv's functions by name, and who calls them."""
    calls, replaced = collections.defaultdict(list), collections.defaultdict(list)
    for _, name, paragraphs in named(graphs):
        for verb, names in CLAIM.findall(" ".join(paragraphs).replace("\n", " ")):
            found = calls if verb == "Calls" else replaced
            for function in re.findall(r"uv_\w+", names):
                if name not in found[function]: found[function].append(name)
    rows = [
        f"| `{function}` | {', '.join(calls[function] or replaced[function])}{'' if calls[function] else ' (in another way)'} |"
        for function in sorted({*calls, *replaced})
    ]
    return "\n".join(["| libuv | Swift |", "|---|---|", *rows])


def cancellation(graphs):
    """What each call says of its cancellation."""
    rows = {}
    for symbol, name, paragraphs in named(graphs):
        for paragraph in paragraphs:
            if match := CANCELLATION.match(paragraph.replace("\n", " ")):
                kind = match[1] or ("timeout, any error" if match[0].startswith("Cancellation, timeout") else "")
                # Links count from the symbol, not from the page.
                text = re.sub(r"``([^`]+)``", lambda link: f"`{link[1].replace('/', '.')}`", match[2])
                rows.setdefault((symbol["pathComponents"][0], name), f"| {name} | {'also for ' + kind + ': ' if kind else ''}{text} |")
    return "\n".join(["| call | when it is cancelled |", "|---|---|", *[rows[key] for key in sorted(rows)]])
