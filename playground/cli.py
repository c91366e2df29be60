"""The command line: ``ojs-playground serve``, ``build``, ``conformance``, ``scenario`` and ``spec``.

What goes wrong is said in one line that names the way out; the exit code is then 1, and 2 for wrong arguments.
"""

from __future__ import annotations

import argparse
import errno
import secrets
import socket
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from jinja2 import FileSystemLoader
from waitress.server import create_server

from playground import conformance, packages, resources, scenarios, shelves
from playground.app import Application, Site
from playground.assets import Assets
from playground.build import BuildError, build
from playground.build.site import facts
from playground.clock import SystemClock
from playground.demo import MAX_WORKERS
from playground.hosts.server import Driver, create_app
from playground.render import environment
from playground.session import Session
from playground.travel.sandbox import Sandbox
from playground.version import release

HOST = "127.0.0.1"
"""Loopback only: whoever reaches this server may do anything with it."""
LATE = 5_000
"""After more than this a cron occurrence was missed: the machine slept; milliseconds."""
THREADS = 64
"""Each open live stream holds one."""


class CommandError(Exception):
    """The command cannot go on; the message says what to do."""


def _number(least: int, most: int, what: str) -> type[int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"'{text}' is not {what} from {least} to {most}")
        return int(text)

    return read  # type: ignore[return-value]  # argparse calls it, whatever it is


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ojs-playground", description="A playground and local server for the Open Job Spec."
    )
    parser.add_argument("--version", action="version", version=f"ojs-playground {release()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the playground and an OJS server on this machine")
    serve.add_argument(
        "--port", type=_number(1, 65535, "a port"), default=8080, help="port on 127.0.0.1 (default 8080)"
    )
    serve.add_argument("--open", action="store_true", help="open the page in a browser")
    serve.add_argument(
        "--workers",
        type=_number(0, MAX_WORKERS, "a number"),
        default=0,
        metavar="N",
        help="demo workers from the start (default 0: your own workers get every job)",
    )
    serve.add_argument(
        "--max-body",
        type=_number(1, 1 << 30, "a number of bytes"),
        default=1_048_576,
        metavar="BYTES",
        help="largest request body (default 1 MiB)",
    )
    serve.add_argument(
        "--conformance",
        action="store_true",
        help="turn the test-only hooks on (reset, directives), for a conformance run",
    )

    site = commands.add_parser(
        "build", help="build the static site that runs the engine in the visitor's tab"
    )
    site.add_argument(
        "--out", type=Path, default=Path("dist"), metavar="DIR", help="folder to build into (default dist/)"
    )
    cases = commands.add_parser("conformance", help="run conformance cases against the engine or a server")
    conformance.add_arguments(cases)
    kept = commands.add_parser("spec", help="put a checkout of the specification on the server's shelf")
    shelves.add_arguments(kept)
    played = commands.add_parser("scenario", help="play scenarios, check them, print the state's hash")
    scenarios.add_arguments(played)
    return parser


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise CommandError(
                f"Port {port} is in use; choose another: ojs-playground serve --port {port % 65535 + 1}"
            ) from None
        raise CommandError(
            f"Cannot listen on port {port}: {error.strerror}; choose another with --port."
        ) from None
    return listener


def _serve(options: argparse.Namespace) -> None:
    listener = _listen(options.port)
    packages.vendor()
    static = resources.path("static")
    url = f"http://localhost:{options.port}"
    session = Session(
        SystemClock(),
        seed=secrets.randbits(64),
        workers=options.workers,
        max_body=options.max_body,
        conformance=options.conformance,
        late=LATE,
    )
    python = packages.python()
    boot = None if python is None else python.boot
    site = Site("server", Assets.scan(static), base_url=url, release=release(), boot=boot)
    env = environment(FileSystemLoader(resources.path("templates")))
    sandbox = Sandbox(SystemClock(), lambda: secrets.randbits(53), workers=1, max_body=options.max_body)
    sandbox.pause()  # until somebody enters
    app = Application(session, env, site, beside=Application(sandbox, env, site))
    app.shelf = shelves.load()
    if app.beside is not None:
        app.beside.shelf = app.shelf
    driver = Driver(app)
    host = create_app(driver, static, max_body=options.max_body, python=python)
    server = create_server(
        host,
        sockets=[listener],
        threads=THREADS,
        ident="ojs-playground",
        max_request_body_size=max(options.max_body * 16, 1 << 26),
    )
    lines = (
        f"OJS Playground {release()}",
        f"  page    {url}",
        f"  server  {url}/ojs/v1",
        "Ctrl+C stops it; jobs are kept in memory.",
    )
    print("\n".join(lines), flush=True)  # noqa: T201 - the command's answer
    if options.open:
        webbrowser.open(url)
    try:
        server.run()
    finally:
        server.close()
        driver.close()


def _build(options: argparse.Namespace) -> None:
    rendered = build(options.out)
    sizes = facts(options.out)
    print(  # noqa: T201 - the command's answer
        f"Built {len(rendered)} pages, {sizes['files']} files, {sizes['bytes'] / 1e6:.1f} MB "
        f"({sizes['engine'] / 1e6:.1f} MB of them the engine) in {options.out}/\n"
        f"Try it: python3 -m http.server --directory {options.out} 8000"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: The words after the program's name; those of this process when None.

    Returns:
        0, or 1 when the command could not do its work.
    """
    options = _parser().parse_args(arguments)
    try:
        if options.command == "conformance":
            return conformance.main(options)
        if options.command == "spec":
            return shelves.main(options)
        if options.command == "scenario":
            return scenarios.main(options)
        {"serve": _serve, "build": _build}[options.command](options)
    except (CommandError, BuildError, packages.FetchError, FileNotFoundError) as error:
        print(f"ojs-playground: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
