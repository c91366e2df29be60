"""Who may talk to a local server."""

from __future__ import annotations

import pytest

from playground.security import refusal


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:8080", "LOCALHOST"])
def test_the_machines_own_names_are_welcome(host: str) -> None:
    assert refusal("POST", {"host": host}) is None


@pytest.mark.parametrize(
    "host", ["", "evil.example", "evil.example:8080", "localhost.evil.example", "[::1", "127.0.0.1.nip.io"]
)
def test_any_other_host_is_refused(host: str) -> None:
    reason = refusal("GET", {"host": host})
    assert reason is not None
    assert "Host" in reason


def test_a_page_elsewhere_may_not_change_anything() -> None:
    headers = {"host": "localhost:8080", "origin": "http://evil.example"}
    assert refusal("POST", headers) is not None
    assert refusal("DELETE", headers) is not None
    assert refusal("POST", {"host": "localhost:8080", "origin": "null"}) is not None
    assert refusal("POST", {"host": "localhost:8080", "origin": "http://localhost:9999"}) is not None


def test_its_own_page_and_programs_may() -> None:
    assert refusal("POST", {"host": "localhost:8080", "origin": "http://localhost:8080"}) is None
    assert refusal("POST", {"host": "localhost:8080"}) is None
