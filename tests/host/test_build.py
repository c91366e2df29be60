"""The static site: complete, hashed, within its own origin, the same for the same sources; and the wheel."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from playground import spec, terms
from playground.build.site import redirects
from playground.headers import SECURITY, rules
from playground.learn.course import course
from playground.pages import PAGES
from playground.travel import library
from tests.conftest import ROOT, command, free_port

PLAIN = re.compile(r"/[a-z/-]+")
"""The address of a page of which there is one."""


def pages(dist: Path) -> list[Path]:
    """The pages of a build, save those that only lead on to a requirement."""
    found = sorted(path for path in dist.rglob("*.html") if "static" not in path.relative_to(dist).parts)
    return [path for path in found if not path.parent.name.startswith("R-")]


def test_every_static_page_and_the_fallback_are_there(dist: Path) -> None:
    names = {path.relative_to(dist).as_posix() for path in pages(dist)}
    assert names == {
        "index.html",
        "404.html",
        *(f"{page.path[1:]}/index.html" for page in PAGES if page.static and PLAIN.fullmatch(page.path)),
        *(f"spec/terms/{kind}/index.html" for kind in terms.KINDS),
        *(f"spec/{path.stem}/index.html" for path in (ROOT / "spec").glob("*.md")),
        *(f"scenarios/{name}/index.html" for name in library.names()),
        *(f"{step.path[1:]}/index.html" for step in course().steps.values()),
    }
    assert {"play/index.html", "spec/core/index.html", "spec/coverage/index.html"} <= names
    index = json.loads((dist / "spec" / "requirements.json").read_text())["requirements"]
    assert len(index) > 1_000
    assert json.loads((dist / "scenarios" / "schema.json").read_text())["title"] == "OJS Playground scenario"


def test_everything_a_page_names_exists_and_lies_on_its_own_origin(dist: Path) -> None:
    for page in pages(dist):
        html = page.read_text()
        for url in re.findall(r'(?:src|href)="([^"#?]+)', html):
            if url.startswith(("https://openjobspec.org", "https://github.com/openjobspec/")):
                continue  # a link for the reader, never fetched
            assert url.startswith("/"), url
            if url.startswith(("/static/", "/engine/")):
                assert (dist / url[1:]).is_file(), url
            elif not url.startswith(("/play/", "/conformance/cases/")):
                file = dist / url.strip("/")
                assert (file if url.endswith(".json") else file / "index.html").is_file(), url


def test_every_link_to_a_place_in_a_page_lands(dist: Path) -> None:
    """Those to requirements, sections and rulings among them."""
    ids: dict[str, set[str]] = {}
    links: set[tuple[str, str]] = set()
    for page in pages(dist):
        html = page.read_text()
        here = f"/{page.parent.relative_to(dist).as_posix()}".replace("/.", "/")
        found = re.findall(r'\sid="([^"]+)"', html)
        ids[here] = set(found)
        assert len(found) == len(ids[here]), f"{here} has an id twice"
        for url, anchor in re.findall(r'href="(/[^"#?]*)?(?:\?[^"#]*)?#([^"]+)"', html):
            if not anchor.startswith("s=1."):  # a moment, no place
                links.add((url.rstrip("/") or "/" if url else here, anchor))
    assert len(links) > 1_000
    assert {link for link in links if link[0] in ids and link[1] not in ids[link[0]]} == set()


def test_the_address_of_a_requirement_leads_to_its_place(dist: Path) -> None:
    for row in json.loads((dist / "spec" / "requirements.json").read_text())["requirements"]:
        landing = (dist / row["page"][1:] / row["id"] / "index.html").read_text()
        assert f'content="0; url={row["page"]}{row["anchor"]}"' in landing
        assert f'<a href="{row["page"]}{row["anchor"]}">' in landing


def test_names_carry_their_contents_hash(dist: Path) -> None:
    for path in [*(dist / "static").rglob("*"), *(dist / "engine").glob("*.zip")]:
        if path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
            assert f".{digest}." in path.name, path


def test_the_engines_files_are_there_plain_and_packed(dist: Path) -> None:
    boot = json.loads(
        re.search(r'data-boot="([^"]+)"', (dist / "index.html").read_text())[1].replace("&#34;", '"')  # type: ignore[index]
    )
    big = [boot["app"], boot["stdlib"], boot["pyodide"] + "pyodide.asm.wasm"]
    for url in big:
        file = dist / url[1:]
        assert file.is_file()
        assert 0 < file.with_name(file.name + ".gz").stat().st_size < file.stat().st_size
    assert boot["bytes"] == sum((dist / url[1:]).stat().st_size for url in big)
    assert (dist / boot["worker"][1:]).is_file()


def entries(dist: Path, name: str) -> dict[str, bytes]:
    (path,) = (dist / "engine").glob(f"{name}.*.zip")
    with zipfile.ZipFile(path) as archive:
        assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())
        return {info.filename: archive.read(info) for info in archive.infolist()}


def test_the_bundle_is_byte_code_and_leaves_the_server_out(dist: Path) -> None:
    app, more = entries(dist, "app"), entries(dist, "more")
    assert "playground/hosts/tab.pyc" in app
    assert not app.keys() & more.keys()
    names = [*app, *more, *entries(dist, "stdlib"), *entries(dist, "loop")]
    assert not [name for name in names if name.endswith(".py")]
    server_only = {"playground/hosts/server.pyc", "playground/cli.pyc", "playground/http_target.pyc"}
    assert not server_only & set(names)
    assert not [name for name in names if name.startswith(("flask", "markdown_it", "playground/build"))]


def test_a_start_carries_only_what_it_imports(dist: Path) -> None:
    """What pages read, their own modules, an event loop and a package installer come later, or never."""
    app, stdlib, more = entries(dist, "app"), entries(dist, "stdlib"), entries(dist, "more")
    runner = ("engine/conformance/runner", "engine/conformance/report", "engine/conformance/junit")
    assert not [name for name in app if name.startswith(("spec/", "jinja2/ext", *runner))]
    heavy = {"asyncio/__init__.pyc", "pathlib/__init__.pyc", "zipfile/__init__.pyc", "logging/__init__.pyc"}
    assert not heavy & stdlib.keys()
    assert "asyncio/__init__.pyc" in entries(dist, "loop")
    assert {f"spec/{spec.BUNDLED}", "spec/cases.json", "spec/scenarios/index.json"} <= more.keys()
    assert sum(map(len, app.values())) < 1_700_000
    assert sum(map(len, stdlib.values())) < 1_800_000


def test_an_import_that_must_wait_can_be_told_from_one_that_fails(dist: Path) -> None:
    app = entries(dist, "app")
    for name in ("more", "rest"):
        modules = {path.rpartition(".")[0] for path in entries(dist, name) if path.endswith((".py", ".pyc"))}
        assert set(app[f"{name}.txt"].decode().splitlines()) == modules


def test_the_same_sources_make_the_same_bytes_and_replace_an_earlier_build(
    dist: Path, tmp_path: Path
) -> None:
    (tmp_path / "again").mkdir()
    for name in (".ojs-playground", "old.html"):
        (tmp_path / "again" / name).write_text("old")
    assert command("build", "--out", str(tmp_path / "again")).returncode == 0
    assert not (tmp_path / "again" / "old.html").exists()
    first = {
        path.relative_to(dist): path.read_bytes() for path in (dist / "engine").rglob("*") if path.is_file()
    }
    again = tmp_path / "again"
    second = {
        path.relative_to(again): path.read_bytes() for path in (again / "engine").rglob("*") if path.is_file()
    }
    assert first.keys() == second.keys()
    assert first == second


def test_the_hosts_files_say_what_the_server_says(dist: Path) -> None:
    text = (dist / "_headers").read_text()
    for pattern, headers in rules():
        assert pattern in text
        assert all(f"  {name}: {value}" in text for name, value in headers.items())
    assert all(f"  {name}: {value}" in text for name, value in SECURITY.items())
    assert (dist / "_redirects").read_text() == redirects("")
    assert 'publish = "dist"' in (ROOT / "netlify.toml").read_text()


@pytest.mark.timeout(300)
def test_an_installed_wheel_serves_and_builds_without_a_checkout(tmp_path: Path) -> None:
    """Built, installed into a fresh environment, run in an empty folder."""
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for name in (
        "templates/base.html",
        "static/style.css",
        "static/vendor/htmx.js",
        "static/vendor/editor.mjs",
        "spec/lifecycle.md",
        "package.json",
    ):
        assert f"playground/_data/{name}" in names
    fresh = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(fresh)], check=True)
    subprocess.run([str(fresh / "bin" / "pip"), "install", "-q", str(wheel)], check=True, capture_output=True)
    program = str(fresh / "bin" / "ojs-playground")
    empty = tmp_path / "empty"
    empty.mkdir()
    done = subprocess.run([program, "build"], cwd=empty, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (empty / "dist" / "index.html").is_file()
    port = free_port()
    serving = subprocess.Popen(
        [program, "serve", "--port", str(port), "--memory"], cwd=empty, stdout=subprocess.PIPE, text=True
    )
    try:
        assert serving.stdout
        assert "OJS Playground" in serving.stdout.readline()
        page = subprocess.run(
            ["curl", "-s", "--retry", "20", "--retry-connrefused", f"http://localhost:{port}/"],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
        )
        assert "Watch its state" in page.stdout
    finally:
        serving.terminate()
        serving.wait(10)


def test_other_sites_may_frame_one_page_and_no_other() -> None:
    policies = {
        pattern: headers["Content-Security-Policy"]
        for pattern, headers in rules()
        if "Content-Security-Policy" in headers
    }
    framed = [pattern for pattern, policy in policies.items() if "frame-ancestors *" in policy]
    assert framed == ["/embed/frame/*"]
    assert "frame-ancestors 'none'" in policies["/*"]
