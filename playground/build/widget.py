"""The widgets alone, for a site that serves them itself: `embed.js`, the page in their frames, and the engine.

Every address in it is relative, so that the folder may lie anywhere on the site.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from jinja2 import FileSystemLoader

from engine.http.message import Request
from playground import packages, resources
from playground.app import Application, Site
from playground.assets import Assets, files
from playground.build import bundle
from playground.build.site import BuildError, prepare, put
from playground.clock import SystemClock
from playground.headers import FOREVER, FRAMED, FRAMED_PAGE, SECURITY, WIDGET, WIDGET_SCRIPT
from playground.render import environment
from playground.travel.sandbox import Sandbox
from playground.version import release

NEEDED: Final = (
    *("embed-frame.js", "embed.css", "style.css", "work.css", "icon.svg", "worker.mjs", "snapshot.mjs"),
)
"""The static files that a frame asks for."""
UP: Final = "../../"
"""From the page in the frames to the folder."""


def build(out: Path, playground: str = "") -> list[str]:
    """Build the widgets into a folder, replacing an earlier build.

    Args:
        out: The folder; made if it is not there.
        playground: Where the whole playground is, for links to it; without it there are none.

    Returns:
        Paths of the pages.

    Raises:
        BuildError: The folder cannot be written or holds something else, or the address is none.
        playground.packages.FetchError: Node or the browser packages cannot be had.
    """
    if playground and urlsplit(playground).scheme not in {"http", "https"}:
        raise BuildError(
            f"'{playground}' is no address of a playground, such as https://playground.example/."
        )
    prepare(out)
    packages.vendor()
    with bundle.temporary() as work:
        small = Path(work) / "static"
        packages.minify(resources.path("static"), small)
        every = Assets.scan(small)
        static = {name: path.read_bytes() for name, path in files(small) if name in NEEDED}
        script = (small / WIDGET_SCRIPT).read_bytes()
        made = bundle.make(Path(work), every.names)
    names = {name: every.names[name] for name in NEEDED}
    relative = {
        name: UP + value.removeprefix("/") if isinstance(value, str) and value.startswith("/") else value
        for name, value in made.boot.items()
        if name != "loop"
    }
    site = Site(
        "tab",
        Assets(names, UP),
        release=release(),
        boot={**relative, "assets": names, "release": release()},
        playground=f"{playground.rstrip('/')}/" if playground else "",
    )
    env = environment(FileSystemLoader(resources.path("templates")))
    answer = Application(Sandbox(SystemClock(), lambda: 1), env, site).handle(Request("GET", FRAMED_PAGE))
    assert isinstance(answer.body, bytes)  # noqa: S101 - a page of ours never streams
    try:
        put(out, f"/{WIDGET_SCRIPT}", script)
        put(out, f"{FRAMED_PAGE}/index.html", answer.body)
        for name, content in static.items():
            put(out, f"/static/{names[name]}", content)
        for url, content in made.files.items():
            if url != made.boot["loop"]:
                put(out, url, content)
        put(out, "/headers.json", json.dumps(rules(), indent=1).encode())
    except OSError as error:
        raise BuildError(f"Cannot write to {out}: {error.strerror}.") from None
    return [f"{FRAMED_PAGE}/"]


def rules() -> dict[str, dict[str, str]]:
    """Which headers its files want, by path below the folder; each host has a way of its own to send them."""
    return {
        "embed.js": WIDGET,
        "embed/frame/*": {**SECURITY, **FRAMED},
        "static/*": {"Cache-Control": FOREVER},
        "engine/*": {"Cache-Control": FOREVER},
        "engine/*.wasm": {"Content-Type": "application/wasm"},
    }
