"""Which trace a job belongs to."""

from __future__ import annotations

from typing import Any

import pytest

from engine.tracing import trace_id

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("meta", "found"),
    [
        (None, None),
        ({}, None),
        ({"trace_id": TRACE}, TRACE),
        ({"trace_id": "any text"}, "any text"),
        ({"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}, TRACE),
        ({"traceparent": f"01-{TRACE}-00f067aa0ba902b7-01-more"}, TRACE),
        ({"trace_id": "", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}, TRACE),
        ({"trace_id": 5, "traceparent": "nonsense"}, None),
        ({"traceparent": f"00-{TRACE.upper()}-00f067aa0ba902b7-01"}, None),
        ({"traceparent": [TRACE]}, None),
    ],
)
def test_the_trace_of_a_job(meta: dict[str, Any] | None, found: str | None) -> None:
    assert trace_id(meta) == found
