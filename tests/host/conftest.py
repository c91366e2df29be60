"""What the tests of an attached server share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from playground.clock import SystemClock
from playground.session import Session
from tests.host.attached import Peer, ours


@pytest.fixture
def session() -> Session:
    """The session of the server that is attached to."""
    return Session(SystemClock(), seed=3, conformance=True)


@pytest.fixture
def peer(session: Session) -> Iterator[Peer]:
    """One of our servers."""
    found = Peer(ours(session))
    yield found
    found.close()
