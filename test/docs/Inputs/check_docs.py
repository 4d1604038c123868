# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Checks the hand-written pages: code that is marked `<!-- from FILE -->` stands in
that file, links and paths in backquotes exist, and README is short."""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
pages = [root / "README.md"] + sorted(
    page for page in (root / "docs").rglob("*.md") if "generated" not in page.parts)
problems = []


def squeeze(text):
    """Blank lines and the indentation of the whole do not count."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    indent = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    return "\n".join(line[indent:] for line in lines)


quotes = 0
for page in pages:
    text = page.read_text()
    name = page.relative_to(root)
    for source, code in re.findall(r"<!-- from (\S+) -->\n```\w*\n(.*?)```", text, re.S):
        quotes += 1
        want = squeeze(code).splitlines()
        have = [line.rstrip() for line in (root / source).read_text().splitlines()
                if line.strip()]
        found = any(squeeze("\n".join(have[i:i + len(want)])) == "\n".join(want)
                    for i in range(len(have) - len(want) + 1))
        if not found:
            problems.append(f"{name}: the code from {source} is not there: {want[0]}")
    plain = re.sub(r"```.*?```", "", text, flags=re.S)
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", plain):
        if not link.startswith("http") and not (page.parent / link).exists():
            problems.append(f"{name}: a link to {link}, which is not there")
    for path in re.findall(r"`((?:dialects|docs|include|lib|runtime|test|tools)/[\w./-]+)`",
                           plain):
        if not path.endswith("...") and not (root / path).exists():
            problems.append(f"{name}: names {path}, which is not there")

lines = len((root / "README.md").read_text().splitlines())
if lines >= 150:
    problems.append(f"README.md has {lines} lines; 149 are enough")
print("\n".join(problems))
print(f"{len(pages)} pages, {quotes} quotes, {len(problems)} problems")
sys.exit(bool(problems) or not quotes)
