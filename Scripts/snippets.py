"""Blocks of Swift in pages of Markdown."""
import re

DECLARATION = re.compile(r"(import|@\w+|public|private|final|struct|enum|class|actor|protocol|extension|func|typealias|nonisolated|//|[ })])")


def blocks(text):
    """(language, text) of each block of code."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def swift(text):
    """The blocks in Swift."""
    return [block for language, block in blocks(text) if language == "swift"]


def module(text):
    """The blocks of a page as one file: what is declared in one is known in the next. Statements become the body of a function."""
    imports, parts = {}, []
    for number, block in enumerate(swift(text), 1):
        lines = block.splitlines()
        imports.update({line: None for line in lines if line.startswith("import ")})
        rest = [line for line in lines if not line.startswith("import ")]
        if any(line and not DECLARATION.match(line) for line in rest):
            effects = "async throws" if any("await" in line for line in rest) else "throws"
            rest = [f"func snippet{number}() {effects} {{", *rest, "}"]
        parts += rest
    return "\n".join([*imports, *parts, ""]) if parts else ""
