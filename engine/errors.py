"""Every way in which the engine refuses a request, each with its code, HTTP status and hint.

An error is raised before anything has changed. The texts of codes, hints and statuses live here and nowhere
else; the binding only serialises them (OJS HTTP Binding 16, OJS Errors).
"""

from __future__ import annotations

from typing import Any, ClassVar

DOCS = "https://openjobspec.org/docs/errors#"


class OJSError(Exception):
    """The server could not do what was asked.

    Args:
        message: What was wrong, where, and how to mend it.
        details: Machine-readable facts, e.g. ``{"field": "type"}``.

    Attributes:
        code: The standard's error code.
        status: HTTP status of the reply.
        kind: The error's class, ``error.type`` on the wire.
        retryable: Whether the same request may succeed later.
        hint: What the caller can do.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    kind: ClassVar[str] = "server_error"
    retryable: ClassVar[bool] = False
    hint: ClassVar[str] = "Report this with the request id."

    def __init__(self, message: str, *, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details or {}

    def to_dict(self, request_id: str | None = None) -> dict[str, Any]:
        """The error object as it goes on the wire, both spellings of the documentation link included."""
        link = DOCS + self.code.lower().replace("_", "-")
        body: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "retryable": self.retryable,
            "type": self.kind,
            "hint": self.hint,
            "docs_url": link,
            "doc_url": link,
            "details": self.details,
        }
        if request_id is not None:
            body["request_id"] = request_id
        return body


class InternalError(OJSError):
    """The server failed; nothing half done remains."""

    retryable = True


class InvalidPayload(OJSError):
    """The body is not JSON, not an object, or lacks what every such body has."""

    code, status, kind = "invalid_payload", 400, "validation_error"
    hint = "Send one JSON object with Content-Type application/json or application/openjobspec+json."


class InvalidRequest(OJSError):
    """A field of the request has a value that the standard does not allow."""

    code, status, kind = "invalid_request", 400, "validation_error"
    hint = "Correct the field named in 'details.field' and send the request again."


class InvalidPolicy(InvalidRequest):
    """A policy (retry, unique, limit, workflow) contradicts its rules."""

    status = 422


class InvalidWorkflow(InvalidRequest):
    """A workflow's structure breaks the rules; each breach is listed in the details (OJS Workflows 11.1)."""

    code = "invalid_workflow"
    hint = "Correct what 'details.validation_errors' lists; nothing has been enqueued."


class SchemaMismatch(InvalidRequest):
    """The arguments do not match the schema that the job names."""

    code, status = "schema_validation", 422
    hint = "Correct the arguments named in 'details.violations', or name another schema version."


class Rejected(InvalidRequest):
    """Enqueue middleware refused the job."""

    code, status = "middleware_rejected", 422
    hint = "The server's enqueue middleware refused this job; see the message."


class Unsupported(OJSError):
    """The request asks for a version or feature that this server does not have."""

    code, status, kind = "unsupported", 422, "unsupported"
    hint = "Read /ojs/manifest for what this server supports."


class PayloadTooLarge(OJSError):
    """The body exceeds the server's limit."""

    code, status, kind = "payload_too_large", 413, "validation_error"
    hint = "Send a smaller body: pass a reference to large data, not the data itself."


class NotFound(OJSError):
    """There is no such job, queue, workflow, schema or route."""

    code, status, kind = "not_found", 404, "not_found"
    hint = "Check the identifier and the path; finished jobs may have been deleted."


class MethodNotAllowed(OJSError):
    """The route exists, the method does not."""

    code, status, kind = "method_not_allowed", 405, "invalid_request"
    hint = "Use one of the methods in the Allow header."


class Conflict(OJSError):
    """The job's state, or its reservation, does not allow the operation."""

    code, status, kind = "conflict", 409, "conflict"
    hint = "Read the job again: its state has moved on."


class Duplicate(OJSError):
    """A job with this id, or with this unique key, exists already."""

    code, status, kind = "duplicate", 409, "conflict"
    hint = "The existing job is named in 'details.existing_job_id'."


class QueuePaused(OJSError):
    """The queue does not take part in this operation while it is paused."""

    code, status, kind, retryable = "queue_paused", 422, "conflict", True
    hint = "Resume the queue, then try again."


class QueueFull(OJSError):
    """The queue has reached its bound and its policy is to refuse."""

    code, status, kind, retryable = "QUEUE_FULL", 429, "backpressure", True
    hint = "Wait as long as the Retry-After header says, then enqueue again."


class RateLimited(OJSError):
    """Too many requests."""

    code, status, kind, retryable = "rate_limited", 429, "rate_limit", True
    hint = "Wait as long as the Retry-After header says, then try again."


class Unavailable(OJSError):
    """The store cannot be reached now; nothing was changed."""

    code, status, kind, retryable = "backend_error", 503, "backend_error", True
    hint = "Try again shortly; /ojs/v1/health tells when the store is back."
