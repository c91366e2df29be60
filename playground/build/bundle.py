"""The engine's files: Python, its standard library and the application, as the browser wants them."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from jinja2 import FileSystemLoader

import engine
import playground
from playground import case_files, packages, resources, rulings, spec
from playground.assets import digest
from playground.codegen import sdks
from playground.learn import course
from playground.render import environment

LATER: Final = ("tzdata", "markdown_it", "mdurl")
"""What the tab fetches only when it needs it, with the rest of the standard library."""
LIBRARIES: Final = ("jinja2", "markupsafe")
"""What the application imports in the tab besides itself and the standard library."""
SERVER_ONLY: Final = frozenset(
    {
        "build",
        "cli.py",
        "packages.py",
        "conformance.py",
        "http_target.py",
        "driver.py",
        "figures.py",
        "front.py",
        "holding.py",
        "logs.py",
        "reader.py",
        "tab_site.py",
        "security.py",
        "server.py",
        "serving.py",
        "setting_kinds.py",
        "settings.py",
        "signin.py",
        "spans.py",
        "tokens.py",
        "webhooks.py",
        "writing.py",
        "proving.py",
        "databases.py",
        "stores",
        "turns.py",
    }
)
"""Parts of the playground that no tab uses."""
COMPILERS: Final = frozenset(
    {"bccache.py", "compiler.py", "idtracking.py", "lexer.py", "optimizer.py", "parser.py"}
)
"""Parts of Jinja2 that only compile templates; ``absent.py`` stands in for them."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was made.

    Args:
        files: Path in the site to the content.
        boot: What a page must know to start the engine.
    """

    files: dict[str, bytes]
    boot: dict[str, Any]


def _copy_package(package: Any, target: Path, skip: frozenset[str] = frozenset()) -> None:
    source = Path(package.__file__).parent

    def unwanted(_folder: str, names: list[str]) -> set[str]:
        compiled = {name for name in names if name.endswith((".so", ".pyd", ".c", ".pyi", ".typed"))}
        return compiled | ({"__pycache__", "_data"} | skip) & set(names)

    shutil.copytree(source, target, ignore=unwanted)


def stage(folder: Path) -> None:
    """Lay out the application as the tab imports it: packages, compiled templates, the rendered reference."""
    _copy_package(engine, folder / "engine")
    _copy_package(playground, folder / "playground", SERVER_ONLY)
    for name in LIBRARIES:
        _copy_package(import_module(name), folder / name)
    for name in COMPILERS:
        shutil.copy(Path(__file__).with_name("absent.py"), folder / "jinja2" / name)
    (folder / "playground" / "sitecustomize.py").rename(folder / "sitecustomize.py")
    env = environment(FileSystemLoader(resources.path("templates")))
    env.compile_templates(folder / "templates", zip=None, ignore_errors=False)
    (folder / "spec").mkdir()
    (folder / "spec" / case_files.BUNDLED).write_text(case_files.dump())
    for name in (rulings.NAME, sdks.NAME, "errors.json", "events.json", "terms.json"):
        shutil.copy(resources.path("spec") / name, folder / "spec")
    (folder / "static").mkdir()
    shutil.copy(resources.path("static") / "envelope.json", folder / "static")
    shutil.copytree(resources.path("spec") / "scenarios", folder / "spec" / "scenarios")
    (folder / "spec" / spec.BUNDLED).write_text(spec.dump(spec.render_all(env)))
    (folder / "spec" / course.BUNDLED).write_text(course.dump(course.course()))


def make(work: Path, assets: dict[str, str]) -> Bundle:
    """Compile everything.

    Args:
        work: An empty folder to work in.
        assets: The table of static files, plain name to hashed name.

    Raises:
        playground.packages.FetchError: Node or the browser packages cannot be had.
    """
    pyodide = packages.modules() / "pyodide"
    staged, extra, out = work / "stage", work / "extra", work / "out"
    out.mkdir()
    stage(staged)
    for name in LATER:
        _copy_package(import_module(name), extra / name)
    script = Path(__file__).with_name("compile.mjs")
    words = (str(script), f"{pyodide}/", str(staged), str(extra), str(out), json.dumps({"assets": assets}))
    facts = json.loads(packages.node(*words).splitlines()[-1])
    runtime = {name: (pyodide / name).read_bytes() for name in packages.RUNTIME}
    folder = f"/engine/pyodide-{facts['version']}-{digest(b''.join(runtime.values()))}/"
    files: dict[str, bytes] = {folder + name: content for name, content in runtime.items()}
    urls = {}
    for name in ("app", "stdlib", "more", "rest", "loop"):
        content = (out / f"{name}.zip").read_bytes()
        urls[name] = f"/engine/{name}.{digest(content)}.zip"
        files[urls[name]] = content
    counted = (folder + "pyodide.asm.wasm", urls["app"], urls["stdlib"])
    boot = {
        "worker": f"/static/{assets['worker.mjs']}",
        "pyodide": folder,
        **urls,
        "bytes": sum(len(files[name]) for name in counted),
        "program": len(runtime["pyodide.asm.wasm"]),
        **{name: facts[name] for name in ("python", "abi", "platform", "version")},
        "assets": assets,
    }
    return Bundle(files, boot)


def temporary() -> tempfile.TemporaryDirectory[str]:
    """A folder for `make`, gone afterwards."""
    return tempfile.TemporaryDirectory(prefix="ojs-playground-")
