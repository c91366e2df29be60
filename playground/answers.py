"""What a page makes of an answer of the binding: JSON with the parts that its templates show.

This server's answers have them all; those of an attached one (`playground.attach`) need not.
"""

from __future__ import annotations

import json
from typing import Any

from engine.errors import Unavailable
from engine.http.message import Response
from engine.nesting import too_deep


def answered(response: Response) -> dict[str, Any]:
    """The answer's JSON object; an empty one where there is no content.

    Raises:
        Unavailable: It is no JSON object; the text says what was answered.
    """
    body = response.body if isinstance(response.body, bytes) else b""
    if not body and response.status < 400:
        return {}
    try:
        text = body.decode()
        answer = None if too_deep(text) else json.loads(text)
    except ValueError:
        answer = None
    if response.status >= 400:
        return {"error": _error(answer, response.status)}
    if not isinstance(answer, dict):
        raise Unavailable(f"The server answered {response.status} with something that is no JSON object.")
    job = answer.get("job")
    if isinstance(job, dict):
        for name in ("id", "type", "queue", "state"):
            if name in job:
                answer.setdefault(name, job[name])
    return answer


def _error(answer: Any, status: int) -> dict[str, Any]:
    raw = answer.get("error", answer) if isinstance(answer, dict) else {}
    error = raw if isinstance(raw, dict) else {"message": raw}
    details = error.get("details")
    return {
        **error,
        "code": str(error.get("code") or status),
        "message": str(error.get("message") or f"The server refuses this with {status} and says no more."),
        "hint": str(error.get("hint") or ""),
        "details": details if isinstance(details, dict) else {},
    }
