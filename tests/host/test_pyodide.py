"""The same case with the same seed gives the same bytes: twice in CPython, and in the tab's own Python."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playground import packages
from tests.conftest import ROOT
from tests.host.digest import digest


def boot_facts(dist: Path) -> str:
    found = re.search(r'data-boot="([^"]+)"', (dist / "index.html").read_text())
    assert found
    return found[1].replace("&#34;", '"')


def test_every_case_gives_the_same_bytes_in_cpython_and_in_pyodide(dist: Path) -> None:
    here = digest()
    assert digest() == here
    boot = boot_facts(dist)
    assert json.loads(boot)["python"].startswith("3.14")
    there = packages.node(str(ROOT / "tests" / "host" / "pyodide_digest.mjs"), str(dist), boot)
    assert there.strip().splitlines()[-1] == here
