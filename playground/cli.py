"""The command line: ``ojs-playground serve``, ``build``, ``conformance``, ``scenario``, ``spec`` and ``learn``.

What goes wrong is said in one line that names the way out; the exit code is then 1, and 2 for wrong arguments.
"""

from __future__ import annotations

import argparse
import errno
import logging
import os
import secrets
import socket
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import FileSystemLoader

from engine.http.quota import Quota
from playground import (
    conformance,
    databases,
    packages,
    rebase,
    resources,
    scenarios,
    settings,
    shelves,
    tenancy,
)
from playground.app import Application, Site
from playground.assets import Assets
from playground.attach.remote import Remote
from playground.attach.session import Attached
from playground.build import BuildError, build, widget
from playground.build.site import facts
from playground.clock import SystemClock
from playground.hosts import logs
from playground.hosts.driver import Driver
from playground.hosts.figures import Figures
from playground.hosts.front import Access, Front
from playground.hosts.server import create_app
from playground.hosts.serving import THREADS, WAITING, Development, Serving, Waitress, run_until_told
from playground.hosts.signin import SignIn
from playground.hosts.spans import Traced, tracer
from playground.hosts.watcher import Watcher
from playground.learn import proving
from playground.render import environment
from playground.security import LOCAL
from playground.session import Session
from playground.travel.sandbox import Sandbox
from playground.version import release

if TYPE_CHECKING:
    from playground.stores.store import DatabaseStore

WILDCARD = frozenset({"0.0.0.0", "::"})  # noqa: S104 - recognised, never bound to without a token
"""Addresses that mean every interface."""
LATE = 5_000
"""After more than this a cron occurrence was missed: the machine slept; milliseconds."""


class CommandError(Exception):
    """The command cannot go on; the message says what to do."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ojs-playground", description="A playground and local server for the Open Job Spec."
    )
    parser.add_argument("--version", action="version", version=f"ojs-playground {release()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    settings.add_arguments(commands.add_parser("serve", help="run the playground and an OJS server"))

    site = commands.add_parser(
        "build", help="build the static site that runs the engine in the visitor's tab"
    )
    site.add_argument(
        "--out", type=Path, default=Path("dist"), metavar="DIR", help="folder to build into (default dist/)"
    )
    site.add_argument(
        "--base",
        default="/",
        metavar="PATH",
        help="where on its host the folder will be, e.g. /docs/try/ (default /)",
    )
    site.add_argument("--embed", action="store_true", help="only what widgets need, for a site of your own")
    site.add_argument(
        "--playground",
        default="",
        metavar="URL",
        help="with --embed: where the whole playground is, for links",
    )
    cases = commands.add_parser("conformance", help="run conformance cases against the engine or a server")
    conformance.add_arguments(cases)
    kept = commands.add_parser("spec", help="put a checkout of the specification on the server's shelf")
    shelves.add_arguments(kept)
    databases.add_commands(commands)
    played = commands.add_parser("scenario", help="play scenarios, check them, print the state's hash")
    scenarios.add_arguments(played)
    taught = commands.add_parser("learn", help="prove the steps of the tutorial")
    proving.add_arguments(taught)
    return parser


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise CommandError(f"Cannot listen on '{host}': {error.strerror}; see --host.") from None
    listener = socket.socket(family, socket.SOCK_STREAM)
    if os.name == "posix":  # elsewhere it would let two servers have one port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise CommandError(
                f"Port {port} is in use; choose another: ojs-playground serve --port {port % 65535 + 1}"
            ) from None
        raise CommandError(
            f"Cannot listen on {host}, port {port}: {error.strerror}; choose others with --host and --port."
        ) from None
    return listener


def _shown(host: str) -> str:
    """An interface as the host of a URL."""
    if host in WILDCARD or settings.loopback(host):
        return "localhost"
    return f"[{host}]" if ":" in host else host


def _access(told: settings.Settings) -> Access:
    """Who may ask: the machine's own names, those that were told, and, beyond loopback, numeric addresses."""
    beyond = not settings.loopback(told["host"])
    names = {*LOCAL, *told["allow_host"], *({told["host"]} if beyond else ())}
    return Access(told.tokens, names, numeric=beyond, origins=told["cors"])


def _session(told: settings.Settings, store: DatabaseStore | None) -> Session:
    """A server of our own, or another one that is shown."""
    if told.attached is not None:
        return Attached(
            SystemClock(), Remote(told.attached), seed=secrets.randbits(64), max_body=told["max_body"]
        )
    session = Session(
        SystemClock(),
        seed=secrets.randbits(64),
        workers=told["workers"],
        max_body=told["max_body"],
        conformance=told["conformance"],
        late=LATE,
        store=store,
    )
    session.binding.quota = Quota(told["rate"])
    tenancy.apply(session.engine, told.tenants, required=told["require_tenant"])
    return session


def _application(
    told: settings.Settings, url: str, python: packages.Python | None, store: DatabaseStore | None
) -> Application:
    session = _session(told, store)
    boot = None if python is None else python.boot
    site = Site(
        "server",
        Assets.scan(resources.path("static")),
        base_url=url,
        release=release(),
        boot=boot,
        guarded=bool(told.tokens),
    )
    env = environment(FileSystemLoader(resources.path("templates")))
    env.auto_reload = told["debug"]
    sandbox = Sandbox(SystemClock(), lambda: secrets.randbits(53), workers=1, max_body=told["max_body"])
    sandbox.pause()  # until somebody enters
    beside = Application(sandbox, env, site)
    app = Application(session, env, site, beside=beside)
    app.shelf = beside.shelf = shelves.load()
    return app


def _traced(front: Front) -> Traced:
    try:
        return Traced(front, tracer())
    except ImportError as error:
        raise CommandError(f"--otel needs more: pip install 'ojs-playground[otel]' ({error}).") from None


def _kept(session: Session, store: DatabaseStore | None) -> str:
    if isinstance(session, Attached):
        return f"it shows {session.remote.url} and keeps nothing"
    return f"jobs are kept in {databases.described(store)}"


def _serve(options: argparse.Namespace) -> None:
    told = settings.load(options)
    listener = _listen(told["host"], told["port"])
    packages.vendor()
    logs.start(told["log"], told["log_level"])
    url = f"http://{_shown(told['host'])}:{told['port']}"
    python = packages.python()
    store = databases.opened(told) if told.attached is None else None
    app = _application(told, url, python, store)
    driver = Driver(app, told["streams"], store)
    watcher = Watcher(driver, app.session) if isinstance(app.session, Attached) else None
    if logs.LOG.isEnabledFor(logging.INFO):
        app.session.engine.events.subscribe(logs.event)
    front = Front(
        driver,
        create_app(driver, resources.path("static"), max_body=told["max_body"], python=python),
        access=_access(told),
        signin=SignIn(app.env, told.tokens) if told.tokens else None,
        figures=Figures(driver),
        max_body=told["max_body"],
    )
    largest = max(told["max_body"] * 16, 1 << 26)
    answering = _traced(front) if told["otel"] else front
    threads = THREADS if store is None and watcher is None else WAITING
    server: Serving = (
        Development(answering, listener)
        if told["debug"]
        else Waitress(answering, driver, listener, largest=largest, streams=told["streams"], threads=threads)
    )
    lines = (
        f"OJS Playground {release()}",
        f"  page    {url}",
        f"  server  {url}/ojs/v1",
        f"Ctrl+C stops it; {_kept(app.session, store)}.",
    )
    print("\n".join(lines), flush=True)  # noqa: T201 - the command's answer
    if told["open"]:
        webbrowser.open(url)
    try:
        with databases.shared(store, driver):
            run_until_told(server, front, driver, told["drain"])
    finally:
        if watcher is not None:
            watcher.close()
        driver.close()


def _build(options: argparse.Namespace) -> None:
    if options.playground and not options.embed:
        raise CommandError("--playground belongs to --embed: a whole build is a playground itself.")
    try:
        base = rebase.base(options.base)
    except ValueError as error:
        raise CommandError(f"--base: {error}") from None
    if options.embed and base:
        raise CommandError("--embed needs no --base: its addresses are relative.")
    rendered = widget.build(options.out, options.playground) if options.embed else build(options.out, base)
    sizes = facts(options.out)
    way = (
        f'Serve it anywhere on your site, with <script async src="…/{options.out.name}/embed.js"></script>\n'
        "Its headers.json says which headers its files want."
        if options.embed
        else f"Try it: python3 -m http.server --directory {options.out} 8000"
    )
    print(  # noqa: T201 - the command's answer
        f"Built {len(rendered)} pages, {sizes['files']} files, {sizes['bytes'] / 1e6:.1f} MB "
        f"({sizes['engine'] / 1e6:.1f} MB of them the engine) in {options.out}/\n"
        f"{way}"
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
        if options.command in databases.COMMANDS:
            return databases.main(options)
        if options.command == "spec":
            return shelves.main(options)
        if options.command == "scenario":
            return scenarios.main(options)
        if options.command == "learn":
            return proving.main(options)
        {"serve": _serve, "build": _build}[options.command](options)
    except (
        CommandError,
        settings.SettingError,
        databases.DatabaseError,
        BuildError,
        packages.FetchError,
        FileNotFoundError,
    ) as error:
        print(f"ojs-playground: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
