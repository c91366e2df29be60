"""The settings of ``serve``: where they come from, which counts, and what is said of one that cannot be used."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from playground import settings, tenancy
from playground.settings import SETTINGS, SettingError, load
from tests.conftest import ROOT
from tests.unit.harness import Server

LONG = "0123456789abcdef-admin"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - it must be refused


def read(*words: str, **environment: str) -> settings.Settings:
    """What ``serve`` with these words is told; no file is read unless one is named."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    settings.add_arguments(parser)
    return load(parser.parse_args(words), {"OJS_CONFIG": "/dev/null", **environment})


def config(tmp_path: Path, text: str) -> str:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    return str(path)


def test_a_flag_counts_before_the_environment_before_the_file_before_the_default(tmp_path: Path) -> None:
    path = config(tmp_path, "port = 1001\nrate = 7\ncors = ['https://a.example']\ndebug = true")
    assert read("--config", path)["port"] == 1001
    assert read("--config", path, OJS_PORT="1002")["port"] == 1002
    assert read("--config", path, "--port", "1003", OJS_PORT="1002")["port"] == 1003
    told = read("--config", path)
    assert (told["rate"], told["cors"], told["debug"]) == (7, ("https://a.example",), True)
    assert read("--config", path, "--no-debug")["debug"] is False
    assert {one.name: read()[one.name] for one in SETTINGS} == {one.name: one.default for one in SETTINGS}


def test_tenants_have_limits_from_the_start(tmp_path: Path) -> None:
    """OJS Multi-Tenancy 15.1: from the file, or the environment in its place; a running server can change them."""
    path = config(tmp_path, "[tenants.acme]\nlimits = { max_queue_depth = 1 }\nfairness_weight = 2")
    assert read("--config", path, OJS_TENANTS='{"zeta": {}}').tenants == {"zeta": {}}
    server = Server()
    tenancy.apply(server.engine, read("--config", path).tenants, required=True)
    body = {"type": "a.b", "args": [], "meta": {"tenant_id": "acme"}}
    assert [server.call("POST", "/jobs", body)[0] for _ in range(2)] == [201, 429]
    assert server.push().tenant == "_default"
    limited = server.push(rate_limit={"key": "k", "concurrency": 1}, meta={"tenant_id": "zeta"})
    assert limited.limit_key == "k:zeta"
    assert server.call("PUT", "/admin/tenants/acme/limits", {"max_queue_depth": 2})[0] == 200
    assert server.call("POST", "/jobs", body)[0] == 201


def test_a_list_is_a_repeated_flag_or_separated_by_commas() -> None:
    assert read("--cors", "https://a.example", "--cors", "http://b:1")["cors"] == (
        "https://a.example",
        "http://b:1",
    )
    assert read(OJS_CORS="https://a.example, http://b:1")["cors"] == ("https://a.example", "http://b:1")


@pytest.mark.parametrize(
    ("environment", "file", "parts"),
    [
        ({"OJS_PORT": "many"}, "", ("OJS_PORT", "'many'", "from 1 to 65535")),
        ({"OJS_DEBUG": "maybe"}, "", ("OJS_DEBUG", "neither true nor false")),
        ({"OJS_LOG": "xml"}, "", ("OJS_LOG", "text, json")),
        ({"OJS_CORS": "https://a.example/path"}, "", ("OJS_CORS", "without a path")),
        ({"OJS_ALLOW_HOST": "ojs:8080"}, "", ("OJS_ALLOW_HOST", "leave the port out")),
        ({"OJS_TOKEN_ADMIN": "short"}, "", ("OJS_TOKEN_ADMIN", "at least 16")),
        ({"OJS_HOST": EVERYWHERE}, "", (EVERYWHERE, "without a token", "OJS_TOKEN_ADMIN")),
        ({"OJS_TENANTS": "{"}, "", ("OJS_TENANTS", "not JSON")),
        ({"OJS_TENANTS": "[]"}, "", ("OJS_TENANTS", "a table for each")),
        ({"OJS_TENANTS": '{"-": {}}'}, "", ("OJS_TENANTS", "a letter or digit first")),
        ({}, "[tenants.a]\nlimit = 1", ("[tenants]", "'limit'", "limits, fairness_weight")),
        ({}, "[tenants.a.limits]\nmax_queue_depth = -1", ("[tenants]", "max_queue_depth")),
        ({"OJS_CORS": "*"}, "", ("'*'", "token")),
        (
            {"OJS_HOST": EVERYWHERE, "OJS_TOKEN_ADMIN": LONG, "OJS_DEBUG": "1"},
            "",
            ("--debug", "this machine"),
        ),
        ({}, "prot = 1", ("'prot' is no setting", "did you mean 'port'")),
        ({}, "port = 'x'", ("settings.toml: port", "not a number")),
        ({}, "port = true", ("settings.toml: port", "not a number")),
        ({}, "port = 99999", ("settings.toml: port", "from 1 to 65535")),
        ({}, "cors = 'x'", ("settings.toml: cors", "list")),
        ({}, "port = ?\n", ("settings.toml", "not TOML", "line 1")),
        ({}, "tokens = 1", ("[tokens]", "read, write, admin")),
        ({}, "[tokens]\nroot = 'x'", ("[tokens]", "read, write, admin")),
        ({}, "[tokens]\nread = 5", ("tokens.read", "list of tokens")),
        ({"OJS_CONFIG": "/nowhere/at.toml"}, "", ("/nowhere/at.toml", "no such file")),
    ],
)
def test_what_cannot_be_used_is_said_with_place_and_remedy(
    tmp_path: Path, environment: dict[str, str], file: str, parts: tuple[str, ...]
) -> None:
    words = ("--config", config(tmp_path, file)) if file else ()
    with pytest.raises(SettingError) as caught:
        read(*words, **environment)
    message = str(caught.value)
    assert all(part in message for part in parts), message


def test_no_message_repeats_a_token(tmp_path: Path) -> None:
    path = config(tmp_path, "[tokens]\nadmin = 'tooshort-secret'")
    with pytest.raises(SettingError) as caught:
        read("--config", path)
    assert "tooshort" not in str(caught.value)


def test_tokens_of_the_environment_replace_the_files_of_their_scope(tmp_path: Path) -> None:
    path = config(tmp_path, "[tokens]\nadmin = 'file-admin-0123456789'\nread = ['file-read-0123456789']")
    tokens = read("--config", path, OJS_TOKEN_ADMIN=LONG).tokens
    assert tokens.scope_of(LONG) == "admin"
    assert tokens.scope_of("file-admin-0123456789") is None
    assert tokens.scope_of("file-read-0123456789") == "read"


def test_every_setting_is_documented() -> None:
    told = (ROOT / "docs" / "server.md").read_text()
    for one in SETTINGS:
        assert f"`{one.flag}`" in told, f"{one.flag} is not in docs/server.md"


def test_another_server_is_attached_by_the_command_line_alone(tmp_path: Path) -> None:
    """Its address comes from nowhere else; its token never from the command line."""
    assert read().attached is None
    assert read(OJS_ATTACH="http://evil.example").attached is None
    server = read("--attach", "https://ojs.example:9000/base/ojs/v1/", OJS_ATTACH_TOKEN=LONG).attached
    assert server is not None
    assert (server.scheme, server.host, server.port, server.base) == ("https", "ojs.example", 9000, "/base")
    assert server.headers == {"authorization": f"Bearer {LONG}"}
    path = config(tmp_path, "[attach]\ntoken = 'from-file'")
    told = read("--config", path, "--attach", "localhost:9000").attached
    assert told is not None
    assert (told.name, dict(told.headers)) == ("localhost:9000", {"authorization": "Bearer from-file"})


@pytest.mark.parametrize(
    ("words", "environment", "text"),
    [
        (("--attach", "ftp://x"), {}, "is no server"),
        (("--attach", "http://me:secret@x"), {}, "credentials"),
        (("--attach", "http://x/?token=secret"), {}, "without query and fragment"),
        (("--attach", "http://x", "--memory"), {}, "--memory is about one of its own"),
        (("--attach", "http://x", "--workers", "2"), {}, "--workers is about one of its own"),
        (("--attach", "http://x"), {"OJS_DB": "jobs.db"}, "--db is about one of its own"),
        (("--attach", "http://x"), {"OJS_ATTACH_TOKEN": "two words"}, "no token can have"),
    ],
)
def test_an_attached_server_that_cannot_be_meant_is_refused(
    words: tuple[str, ...], environment: dict[str, str], text: str
) -> None:
    with pytest.raises(SettingError) as refused:
        read(*words, **environment)
    assert text in str(refused.value)
    assert "secret" not in str(refused.value)
    assert "two words" not in str(refused.value)


@pytest.mark.parametrize("text", ["attach = 'http://x'", "[attach]\nurl = 'http://x'", "[attach]\ntoken = 5"])
def test_a_file_says_no_more_of_it_than_its_token(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingError, match=r"\[attach\] takes one thing"):
        read("--config", config(tmp_path, text))
