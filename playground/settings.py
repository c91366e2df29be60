"""The settings of ``serve``: one table for the flags, the environment, the file, the help and the documentation.

What is given by a flag counts before the environment (``OJS_…``), the environment before the file (TOML), the file
before the default. Whatever cannot be used is refused before the server starts: what, where, and how to mend it.
"""

from __future__ import annotations

import argparse
import difflib
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from platformdirs import user_config_path

from playground import tenancy
from playground.attach import naming as attaching
from playground.demo import MAX_WORKERS
from playground.http_target import Server
from playground.setting_kinds import choice, database, host, name, number, origin, switch
from playground.tokens import SCOPES, Tokens, checked

FILE: Final = "config.toml"
"""In the user's configuration folder; read when it is there and no other file is named."""
TABLES: Final = ("tokens", "tenants", "attach")
"""Tables of that file."""


class SettingError(Exception):
    """A setting cannot be used; the message says what, where, and how to mend it."""


class Setting(NamedTuple):
    """One setting.

    Args:
        name: In the file; the flag is ``--a-b``, the variable ``OJS_A_B``.
        read: Makes the value from text.
        default: The value when nobody gives one.
        help: One sentence.
        metavar: How help shows the value; empty for a switch.
        many: Whether it is a list: the flag may be repeated, the variable separates by commas.
        section: Where help shows it.
    """

    name: str
    read: Callable[[str], Any]
    default: Any
    help: str
    metavar: str = ""
    many: bool = False
    section: str = "serving"

    @property
    def flag(self) -> str:
        """Its flag."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return "OJS_" + self.name.upper()


SETTINGS: Final = (
    Setting(
        "host", host, "127.0.0.1", "address to listen on; another than loopback needs a token", "ADDRESS"
    ),
    Setting("port", number(1, 65535, "a port"), 8080, "port to listen on", "PORT"),
    Setting(
        "db",
        database,
        None,
        "where jobs are kept: a SQLite file, postgresql://… or redis://…; else a file in the user's data folder",
        "PATH|URL",
        section="store",
    ),
    Setting("memory", switch, False, "keep jobs in memory only, until the server ends", section="store"),
    Setting("open", switch, False, "open the page in a browser"),
    Setting(
        "workers",
        number(0, MAX_WORKERS, "a number"),
        0,
        "demo workers from the start; with none your own workers get every job",
        "N",
    ),
    Setting(
        "conformance",
        switch,
        False,
        "turn the test-only hooks on (reset, directives), for a conformance run",
    ),
    Setting(
        "debug",
        switch,
        False,
        "the development server instead of the production one: templates are read anew, each step is logged",
    ),
    Setting(
        "drain", number(0, 3600, "seconds"), 10, "seconds that open requests get when it stops", "SECONDS"
    ),
    Setting(
        "max_body",
        number(1, 1 << 30, "a number of bytes"),
        1_048_576,
        "largest request body",
        "BYTES",
        section="limits",
    ),
    Setting(
        "rate",
        number(1, 100_000_000, "requests"),
        1_000_000,
        "most requests to the OJS server in a minute",
        "N",
        section="limits",
    ),
    Setting(
        "streams", number(1, 10_000, "streams"), 1000, "most open streams at a time", "N", section="limits"
    ),
    Setting(
        "require_tenant",
        switch,
        False,
        "every job belongs to a tenant; one that names none to '_default'",
        section="limits",
    ),
    Setting(
        "allow_host",
        name,
        (),
        "a further name by which clients reach this server (against DNS rebinding others are refused)",
        "NAME",
        many=True,
        section="access",
    ),
    Setting(
        "cors",
        origin,
        (),
        "an origin whose pages may use the OJS server, e.g. https://app.example",
        "ORIGIN",
        many=True,
        section="access",
    ),
    Setting(
        "log",
        choice("text", "json"),
        "text",
        "form of the log on stderr: text or json",
        "FORM",
        section="log",
    ),
    Setting(
        "log_level",
        choice("debug", "info", "warning", "error"),
        "warning",
        "least severity: debug tells every event, info every request, warning what was refused or failed",
        "LEVEL",
        section="log",
    ),
    Setting(
        "otel",
        switch,
        False,
        "send a span for each request to the collector of OTEL_EXPORTER_OTLP_ENDPOINT; needs the extra 'otel'",
        section="log",
    ),
)

BY_NAME: Final = {one.name: one for one in SETTINGS}

SECTIONS: Final = {
    "serving": "serving",
    "store": "store",
    "limits": "limits",
    "access": "access",
    "log": "log",
}

ABOUT: Final = (
    "Each setting can also stand in the environment as OJS_NAME (OJS_PORT=9000) and in a TOML file as name "
    f"(port = 9000): the one that --config or OJS_CONFIG names, else {FILE} in the user's configuration folder. "
    "A flag counts before the environment, the environment before the file. Tokens never stand in a flag: "
    "OJS_TOKEN_READ, OJS_TOKEN_WRITE, OJS_TOKEN_ADMIN, or a table [tokens] in the file (read, write, admin: a token "
    "or a list). With a token set, every request needs one of its scope; admin may do all, write may read."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the flags; a flag that is not given is not in its result."""
    parser.description = "Run the playground and an OJS server."
    parser.epilog = ABOUT
    parser.add_argument("--config", metavar="FILE", help="TOML file with settings")
    parser.add_argument(
        "--attach",
        metavar="URL",
        help="show another OJS server through its API instead of running one; its token stands in OJS_ATTACH_TOKEN "
        "or in the file as [attach] token",
    )
    groups = {key: parser.add_argument_group(title) for key, title in SECTIONS.items()}
    for one in SETTINGS:
        shown = "" if one.default in (None, False, ()) else f" (default {one.default})"
        options: dict[str, Any] = {"help": one.help + shown, "default": argparse.SUPPRESS, "dest": one.name}
        if one.read is switch:
            options["action"] = argparse.BooleanOptionalAction
        else:
            options |= {"metavar": one.metavar, "type": _argument(one.read)}
            if one.many:
                options["action"] = "append"
        groups[one.section].add_argument(one.flag, **options)


def _argument(read: Callable[[str], Any]) -> Callable[[str], Any]:
    def convert(text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``serve`` was told.

    Args:
        values: Every setting of `SETTINGS` by its name.
        tokens: The bearer tokens.
        tenants: The tenants that are there from the start.
        attached: The server that is shown instead of one of its own.
    """

    values: Mapping[str, Any]
    tokens: Tokens
    tenants: tenancy.Told
    attached: Server | None = None

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


def load(options: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> Settings:
    """All settings, each from the first place that has it.

    Args:
        options: What a parser with `add_arguments` has read.
        environment: The process's.

    Raises:
        SettingError: One cannot be used, or they do not go together.
    """
    path, table = _file(options, environment)
    given = vars(options)
    values = {one.name: _value(one, given, environment, table, path) for one in SETTINGS}
    tokens = _tokens(environment, table, path)
    _together(values, tokens)
    attached = _attached(getattr(options, "attach", None), values, environment, table, path)
    try:
        tenants = tenancy.read(environment, table, path)
    except ValueError as error:
        raise SettingError(str(error)) from None
    return Settings(values, tokens, tenants, attached)


def _value(
    one: Setting,
    given: Mapping[str, Any],
    environment: Mapping[str, str],
    table: Mapping[str, Any],
    path: str,
) -> Any:
    if one.name in given:
        return tuple(given[one.name]) if one.many else given[one.name]
    try:
        if one.variable in environment:
            text = environment[one.variable].strip()
            if one.many:
                return tuple(one.read(part.strip()) for part in text.split(",") if part.strip())
            return one.read(text)
        if one.name in table:
            return _from_file(one, table[one.name])
    except ValueError as error:
        where = one.variable if one.variable in environment else f"{path}: {one.name}"
        raise SettingError(f"{where}: {error}. It is: {one.help}.") from None
    return one.default


def _from_file(one: Setting, value: Any) -> Any:
    if one.many:
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            raise ValueError("must be a list of strings")
        return tuple(one.read(part) for part in value)
    wanted = bool if one.read is switch else int if isinstance(one.default, int) else str
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        kind = {bool: "true or false", int: "a number", str: "a string in quotes"}[wanted]
        raise ValueError(f"{value!r:.60} is not {kind}")
    return one.read(str(value))


def _file(options: argparse.Namespace, environment: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """The file's name and its table; an empty table where there is none."""
    named = getattr(options, "config", None) or environment.get("OJS_CONFIG")
    path = Path(named) if named else user_config_path("ojs-playground") / FILE
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if named:
            raise SettingError(
                f"{path}: there is no such file; --config and OJS_CONFIG name a TOML file."
            ) from None
        return str(path), {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{path}: cannot be read: {getattr(error, 'strerror', error)}.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"{path}: not TOML: {error}.") from None
    for key in table:
        if key not in BY_NAME and key not in TABLES:
            near = difflib.get_close_matches(key, [*BY_NAME, *TABLES], 1)
            hint = f"did you mean '{near[0]}'?" if near else "see ojs-playground serve --help."
            raise SettingError(f"{path}: '{key:.60}' is no setting; {hint}")
    return str(path), table


def _tokens(environment: Mapping[str, str], table: Mapping[str, Any], path: str) -> Tokens:
    """The tokens of environment and file; a scope in the environment replaces the file's of that scope."""
    section = table.get("tokens", {})
    if not isinstance(section, dict) or any(key not in SCOPES for key in section):
        raise SettingError(f"{path}: [tokens] takes {', '.join(SCOPES)}, each a token or a list of tokens.")
    found: dict[str, tuple[str, ...]] = {}
    for scope in SCOPES:
        variable = f"OJS_TOKEN_{scope.upper()}"
        where, given = f"{path}: tokens.{scope}", section.get(scope, [])
        if environment.get(variable):
            where, given = variable, [environment[variable]]
        try:
            found[scope] = checked([given] if isinstance(given, str) else given)
        except ValueError as error:
            raise SettingError(f"{where}: {error}.") from None
    return Tokens(found)


def _attached(
    url: str | None,
    values: Mapping[str, Any],
    environment: Mapping[str, str],
    table: Mapping[str, Any],
    path: str,
) -> Server | None:
    """The server of ``--attach``; it is named nowhere else, so that nobody is led to one by a file or a variable."""
    try:
        token = attaching.token(environment, table, path)
        if url is None:
            return None
        server = attaching.server(url, token)
    except ValueError as error:
        raise SettingError(str(error)) from None
    for one in SETTINGS:
        if one.name in attaching.OWN and values[one.name] != one.default:
            raise SettingError(
                f"--attach shows another server, and {one.flag} is about one of its own: leave one of them out."
            )
    return server


def loopback(address: str) -> bool:
    """Whether only this machine reaches an address."""
    return address in {"localhost", "::1"} or address.startswith("127.")


def _together(values: Mapping[str, Any], tokens: Tokens) -> None:
    """Check what must fit together."""
    if values["memory"] and values["db"] is not None:
        raise SettingError("--memory keeps nothing, and --db says where to keep it: give one of them.")
    if not tokens and not loopback(values["host"]):
        raise SettingError(
            f"Listening on {values['host']} without a token would let anybody on the network do anything. "
            'Set one, e.g. OJS_TOKEN_ADMIN="$(openssl rand -hex 32)", or leave --host out.'
        )
    if "*" in values["cors"] and not tokens:
        raise SettingError(
            "--cors '*' without a token would let every page on the web use this server. Set a token, or name origins."
        )
    if values["debug"] and not loopback(values["host"]):
        raise SettingError("--debug is for this machine only: leave out --host, or --debug.")
