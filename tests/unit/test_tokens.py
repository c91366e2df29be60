"""Bearer tokens: what each scope may do, and the cookie that stands for one."""

from __future__ import annotations

import pytest

from playground.tokens import COOKIE, LASTS, SCOPES, Tokens, needed, suffices

READ, WRITE, ADMIN = (f"{scope}-token-0123456789" for scope in SCOPES)
NOW = 1_000_000.0


@pytest.fixture
def tokens() -> Tokens:
    return Tokens({"read": [READ], "write": [WRITE], "admin": [ADMIN]})


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/ojs/v1/health", None),
        ("GET", "/static/style.1.css", None),
        ("POST", "/signin", None),
        ("GET", "/ojs/v1/jobs/1", "read"),
        ("GET", "/metrics", "read"),
        ("GET", "/ojs/v1/admin/jobs", "read"),
        ("GET", "/", "read"),
        ("POST", "/ojs/v1/jobs", "write"),
        ("POST", "/v1/workers/fetch", "write"),
        ("POST", "/ui/jobs", "write"),
        ("DELETE", "/ojs/v1/admin/workers/w", "admin"),
        ("POST", "/v1/admin/jobs/bulk/delete", "admin"),
        ("POST", "/ojs/v1/ojs/v1/admin/jobs/bulk/delete", "admin"),
        ("POST", "/ui/console", "admin"),
        ("POST", "/ui/reset", "admin"),
        ("GET", "/static", "read"),
        ("GET", "/signin/x", "read"),
    ],
)
def test_what_takes_which_scope(method: str, path: str, scope: str | None) -> None:
    assert needed(method, path) == scope


def test_each_scope_may_do_what_those_before_it_may() -> None:
    allowed = [[suffices(scope, least) for least in (None, *SCOPES)] for scope in (None, *SCOPES)]
    assert allowed == [
        [True, False, False, False],
        [True, True, False, False],
        [True, True, True, False],
        [True, True, True, True],
    ]


def test_the_header_tells_the_scope(tokens: Tokens) -> None:
    for scope, token in zip(SCOPES, (READ, WRITE, ADMIN), strict=True):
        assert tokens.scope({"authorization": f"Bearer {token}"}, NOW) == scope
        assert tokens.scope({"authorization": f"bearer  {token} "}, NOW) == scope
    for header in ("", "Bearer", f"Basic {ADMIN}", f"Bearer {ADMIN}x", "Bearer é", "Bearer \udcff"):
        assert tokens.scope({"authorization": header}, NOW) is None


def test_a_cookie_stands_for_its_token_until_its_end_and_holds_none(tokens: Tokens) -> None:
    value = tokens.cookie(WRITE, NOW)
    assert value
    assert WRITE not in value
    asked = {"cookie": f"other=1; {COOKIE}={value}"}
    assert tokens.scope(asked, NOW) == "write"
    assert tokens.scope(asked, NOW + LASTS - 1) == "write"
    assert tokens.scope(asked, NOW + LASTS) is None
    assert Tokens({"write": [WRITE]}).scope(asked, NOW) == "write", "another process with the token knows it"
    assert Tokens({"write": [ADMIN]}).scope(asked, NOW) is None, "it ends with its token"
    assert tokens.cookie("unknown-token-0123456789", NOW) is None


def test_a_changed_cookie_is_worth_nothing(tokens: Tokens) -> None:
    scope, until, code = (tokens.cookie(READ, NOW) or "").split(".")
    for forged in (
        f"admin.{until}.{code}",
        f"{scope}.{int(until) + 1}.{code}",
        f"{scope}.{until}.{'0' * 64}",
        f"{scope}.{until}",
        f"{scope}.x.{code}",
        "",
        "....",
        "é.1.2",
    ):
        assert tokens.scope({"cookie": f"{COOKIE}={forged}"}, NOW) is None, forged
