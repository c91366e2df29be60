"""How large a result may be (OJS Results 7.2). Pure: the operations ask it before they complete a job."""

from __future__ import annotations

import json
from typing import Any, Final

from engine.errors import ResultTooLarge
from engine.job import Job

MAX_RESULT: Final = 1_048_576
"""Largest result as JSON in UTF-8, bytes (OJS Results 7.2)."""
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def measure(job: Job, result: Any) -> int | None:
    """Size of a result in bytes, or None when it is not to be stored (``result_ttl`` 0).

    A step of a workflow stores its result in any case, for the steps after it (OJS Results 9.1).

    Raises:
        ResultTooLarge: It exceeds the job's or the server's limit (OJS Results 7.2).
    """
    size = len(_encode(result).encode(errors="surrogatepass"))
    limit = min(job.result_limit or MAX_RESULT, MAX_RESULT)
    if size > limit:
        raise ResultTooLarge(
            f"The result has {size} bytes; the limit is {limit} (OJS Results 7.2).",
            details={"job_id": job.id, "field": "result", "actual_bytes": size, "max_bytes": limit},
        )
    return None if job.result_ttl == 0 and job.workflow_id is None else size
