"""The static site: pages rendered ahead, static files under hashed names, the engine's files, and host files."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any, Final

from jinja2 import FileSystemLoader

from engine.http.message import Request, Response
from playground import packages, pages, resources, terms
from playground.app import Application, Site
from playground.assets import Assets, digest, files
from playground.build import bundle
from playground.clock import SystemClock
from playground.headers import MARK, ONLY_ENGINE, SHELL, WIDGET_SCRIPT, rules
from playground.learn.course import course
from playground.rebase import rebased
from playground.render import environment
from playground.travel import library
from playground.travel.sandbox import Sandbox
from playground.version import release
from playground.visit import Visit

SMALLEST: Final = 100_000
"""Files of at least this many bytes are also laid as .gz, for hosts that compress none of their kind."""


OFFLINE: Final = "/offline.js"
"""The worker that keeps the site for when the network is gone."""
KEPT: Final = (
    *("/", "/play", "/learn", "/scenarios", "/spec", "/conformance", "/spec/search.json"),
    f"/{SHELL}",
)
"""The pages that it keeps beside the files; the engine makes the others, in the shell."""


class BuildError(Exception):
    """The site cannot be built; the message says what to do."""


def build(out: Path, base: str = "") -> list[str]:
    """Build the whole site into a folder, replacing an earlier build.

    Args:
        out: The folder; made if it is not there.
        base: Where on its host the folder will be, without a slash at its end; empty for the root.

    Returns:
        Paths of the pages, e.g. ``/spec/lifecycle``.

    Raises:
        BuildError: The folder cannot be written, or holds something else.
        playground.packages.FetchError: Node or the browser packages cannot be had.
    """
    prepare(out)
    packages.vendor()
    with bundle.temporary() as work:
        small = Path(work) / "static"
        packages.minify(resources.path("static"), small)
        assets = Assets.scan(small)
        static = {assets.names[name]: path.read_bytes() for name, path in files(small)}
        made = bundle.make(Path(work), assets.names)
    try:
        for name, content in static.items():
            put(out, f"/static/{name}", content)
        for url, content in made.files.items():
            put(out, url, content)
        put(out, f"/{WIDGET_SCRIPT}", static[assets.names[WIDGET_SCRIPT]])
        session = Sandbox(SystemClock(), lambda: 1, workers=1)  # as the tab's own session starts
        boot = {name: _moved(value, base) for name, value in made.boot.items()}
        boot |= {"release": release(), "offline": base + OFFLINE, "base": base}
        site = Site("tab", assets, release=release(), boot=boot, base=base, playground=f"{base}/")
        app = Application(session, environment(FileSystemLoader(resources.path("templates"))), site)
        rendered = _pages(app, out)
        _landings(app, out)
        put(out, OFFLINE, _offline(out, [*(f"/static/{name}" for name in static), *made.files], base))
        put(out, "/_headers", _headers(base).encode())
        put(out, "/_redirects", redirects(base).encode())
        put(out, "/robots.txt", b"User-agent: *\nAllow: /\n")
    except OSError as error:
        raise BuildError(f"Cannot write to {out}: {error.strerror}.") from None
    return rendered


def prepare(out: Path) -> None:
    """Make a folder ready for a build.

    Raises:
        BuildError: It cannot be written, or holds something else.
    """
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / MARK).exists())):
        raise BuildError(
            f"{out} holds something that is not a build of the playground; name an empty or a new folder."
        )
    try:
        if out.exists():
            shutil.rmtree(out)
        out.mkdir(parents=True)
        (out / MARK).write_text("A build of the OJS Playground; the next build replaces this folder.\n")
    except OSError as error:
        raise BuildError(
            f"Cannot write to {out}: {error.strerror}. Name another folder with --out."
        ) from None


def put(out: Path, url: str, content: bytes) -> None:
    """Write a file of the site."""
    target = out / url.removeprefix("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    if url.startswith("/engine/") and len(content) >= SMALLEST:
        target.with_name(target.name + ".gz").write_bytes(gzip.compress(content, 9, mtime=0))


def _pages(app: Application, out: Path) -> list[str]:
    paths = [path for page in pages.PAGES if page.static for path in _filled(page.path, app)]
    for path in paths:
        name = path if path.endswith(".json") else f"{path.rstrip('/')}/index.html"
        put(out, name, rebased(_content(app.handle(Request("GET", path))), app.site.base))
    shell = Visit(app, Request("GET", "/"), "/", {}).render("pages/shell.html")
    put(out, f"/{SHELL}", rebased(_content(shell), app.site.base))
    return paths


def _moved(value: Any, base: str) -> Any:
    return base + value if isinstance(value, str) and value.startswith("/") else value


def _offline(out: Path, files: list[str], base: str) -> bytes:
    """The worker's program, which begins with what there is to keep; another site is another program."""
    names = [page if page.endswith((".json", ".html")) else f"{page}/index.html" for page in KEPT]
    pages = b"".join((out / name.lstrip("/")).read_bytes() for name in names)
    facts = {
        "version": digest(pages + "".join(files).encode()),
        "files": [base + file for file in files],
        "folders": [f"{base}/static/", f"{base}/engine/"],
        "pages": [base + page if page != "/" else base or "/" for page in KEPT],
        "shell": f"{base}/{SHELL}",
    }
    program = Path(__file__).with_name("offline.js").read_text()
    return f"const SITE = {json.dumps(facts)};\n{program}".encode()


def _landings(app: Application, out: Path) -> None:
    """Where the address of a requirement leads on a host without our application: to its place in the text."""
    template = app.env.get_template("pages/landing.html")
    for name, document in app.documents.items():
        for key in document.requirements:
            html = template.render(document=document, id=key, place=f"{app.site.base}/spec/{name}#{key}")
            put(out, f"/spec/{name}/{key}/index.html", html.encode())


def _filled(path: str, app: Application) -> list[str]:
    """The addresses that a route's path stands for."""
    if path == "/learn/{chapter}/{step}":
        return [step.path for step in course().steps.values()]
    known = {"{document}": list(app.documents), "{name}": library.names(), "{kind}": terms.KINDS}
    for parameter, values in known.items():
        if parameter in path:
            return [path.replace(parameter, value) for value in values]
    return [path]


def _content(response: Response) -> bytes:
    assert response.status == 200, response  # noqa: S101 - a page of ours that does not render is a defect
    assert isinstance(response.body, bytes)  # noqa: S101 - pages never stream
    return response.body


def redirects(base: str) -> str:
    """The ``_redirects`` file, which hosts read: below which addresses the shell is answered, as found."""
    return "".join(f"{base}{path}/*  {base}/{SHELL}  200\n" for path in ONLY_ENGINE)


def _headers(base: str) -> str:
    """The rules as the ``_headers`` file that Netlify and others read."""
    return "".join(
        f"{base}{pattern}\n" + "".join(f"  {name}: {value}\n" for name, value in headers.items())
        for pattern, headers in rules()
    )


def facts(out: Path) -> dict[str, int]:
    """Sizes of a finished build, bytes: all files, and those of the engine."""
    sizes = {path: path.stat().st_size for path in out.rglob("*") if path.is_file() and path.suffix != ".gz"}
    engine = sum(size for path, size in sizes.items() if "engine" in path.relative_to(out).parts)
    return {"files": len(sizes), "bytes": sum(sizes.values()), "engine": engine}
