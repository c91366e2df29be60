"""Budgets of the reference's pages: what a browser must fetch before anybody can read and click."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from playground.packages import node

MOST = 60 * 1024
"""HTML, style sheet and scripts of a page of the reference, bytes of brotli."""
WIDGET = 10 * 1024
"""The script of widgets, all that a page with some loads before anybody touches one; bytes of brotli."""
WHOLE = 240 * 1024
"""The same of the page with all documents."""
FILES = re.compile(r'<(?:script[^>]* src|link rel="stylesheet" href|[a-z]+[^>]* data-script)="([^"]+)"')
SIZES = """
const { readFileSync } = require("node:fs"), { brotliCompressSync } = require("node:zlib");
const files = readFileSync(process.argv[2], "utf8").split("\\n");
const size = (file) => brotliCompressSync(readFileSync(file)).length;
console.log(JSON.stringify(Object.fromEntries(files.map((file) => [file, size(file)]))));
"""


@pytest.fixture(scope="module")
def pages(dist: Path) -> dict[str, list[Path]]:
    """Each page of the reference with every file that it fetches by itself."""
    found = {}
    for page in sorted((dist / "spec").rglob("index.html")):
        html = page.read_text("utf-8")
        if 'http-equiv="refresh"' not in html:
            found[f"/{page.parent.relative_to(dist)}"] = [
                page,
                *(dist / url[1:] for url in FILES.findall(html)),
            ]
    return found


def test_every_page_of_the_reference_keeps_to_its_budget(
    pages: dict[str, list[Path]], tmp_path: Path
) -> None:
    files = sorted({str(file) for group in pages.values() for file in group})
    script = tmp_path / "sizes.cjs"
    script.write_text(SIZES)
    listed = tmp_path / "files"
    listed.write_text("\n".join(files))
    sizes = json.loads(node(str(script), str(listed)))
    heavy = {path: sum(sizes[str(file)] for file in group) for path, group in pages.items()}
    assert len(pages) > 40
    assert all(len(group) >= 6 for group in pages.values())
    over = {path: size for path, size in heavy.items() if size > (WHOLE if path == "/spec/all" else MOST)}
    assert not over, over


def test_the_script_of_widgets_keeps_to_its_budget_and_names_no_other_file(
    dist: Path, tmp_path: Path
) -> None:
    script, listed = tmp_path / "sizes.cjs", tmp_path / "files"
    script.write_text(SIZES)
    listed.write_text(str(dist / "embed.js"))
    (size,) = json.loads(node(str(script), str(listed))).values()
    assert 1_000 < size < WIDGET
    assert not re.search(r"\bimport\b|fetch\(", (dist / "embed.js").read_text())
