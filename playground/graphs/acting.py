"""What the pictures' buttons do: requests to the binding, as any client sends them, so that the journal has them."""

from __future__ import annotations

from typing import Any

from engine.http.message import Request, Response
from playground.answers import answered
from playground.visit import Visit


def send(visit: Visit, method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, Any]]:
    """Send a request to the binding.

    Args:
        visit: Whose session answers.
        method: HTTP method.
        path: Below ``/ojs/v1``.
        body: JSON.

    Returns:
        The status, and the answer's JSON.
    """
    response = visit.app.session.handle(
        Request(method, "/ojs/v1" + path, {"content-type": "application/json"}, body)
    )
    return response.status, answered(response)


def told(visit: Visit, status: int, answer: dict[str, Any], page: str) -> Response:
    """Answer a button: nothing when it went well, for the views hear of it by their stream; else what was wrong."""
    if status < 300:
        return visit.done(page)
    template = "parts/problem.html" if visit.fragment else "pages/problem.html"
    return visit.render(template, status=status, error=answer["error"], path=visit.path)
