"""Every way in which the engine refuses a request, each with its code, HTTP status and hint.

An error is raised before anything has changed. The texts of codes, hints and statuses live here and nowhere
else; the binding only serialises them (OJS HTTP Binding 16, OJS Errors).
"""

from __future__ import annotations

from typing import Any, ClassVar

_BY_FIELD = {
    "type": "INVALID_JOB_TYPE",
    "queue": "INVALID_QUEUE",
    "args": "INVALID_ARGS",
    "meta": "INVALID_METADATA",
    "retry": "INVALID_RETRY_POLICY",
    "cron": "INVALID_CRON_EXPRESSION",
    "expression": "INVALID_CRON_EXPRESSION",
}
_BY_STATE = {"completed": "JOB_ALREADY_COMPLETED", "cancelled": "JOB_ALREADY_CANCELLED"}

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
        canonical: The same error's name in OJS Errors 4, which spells codes in capitals; sent beside the code.
        retryable: Whether the same request may succeed later.
        hint: What the caller can do.
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    kind: ClassVar[str] = "server_error"
    canonical: ClassVar[str] = "BACKEND_ERROR"
    retryable: ClassVar[bool] = False
    hint: ClassVar[str] = "Report this with the request id."

    def __init__(self, message: str, *, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details or {}

    def canonical_code(self) -> str:
        """The most exact name that OJS Errors 4 has for this error."""
        if isinstance(self, InvalidRequest) and self.canonical == "INVALID_PAYLOAD":
            field = str(self.details.get("field", ""))
            return _BY_FIELD.get(field.removeprefix("options.").partition(".")[0], self.canonical)
        if isinstance(self, Conflict):
            return _BY_STATE.get(str(self.details.get("current_state")), self.canonical)
        return self.canonical

    def headers(self) -> dict[str, str]:
        """Further headers of the reply."""
        return {}

    def to_dict(self, request_id: str | None = None) -> dict[str, Any]:
        """The error object as it goes on the wire, both spellings of the documentation link included."""
        link = DOCS + self.code.lower().replace("_", "-")
        body: dict[str, Any] = {
            "code": self.code,
            "canonical_code": self.canonical_code(),
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

    canonical = "INVALID_PAYLOAD"
    code, status, kind = "invalid_payload", 400, "validation_error"
    hint = "Send one JSON object with Content-Type application/json or application/openjobspec+json."


class InvalidRequest(OJSError):
    """A field of the request has a value that the standard does not allow."""

    canonical = "INVALID_PAYLOAD"
    code, status, kind = "invalid_request", 400, "validation_error"
    hint = "Correct the field named in 'details.field' and send the request again."

    def to_dict(self, request_id: str | None = None) -> dict[str, Any]:
        """The field, as every breach of a body is told: by path and message (OJS JSON Format 12.4)."""
        body = super().to_dict(request_id)
        field = self.details.get("field")
        if field is not None and "in" not in self.details and "validation_errors" not in self.details:
            breach = {"path": f"$.{field}", "message": self.details.get("rule", self.message)}
            body["details"] = {**self.details, "validation_errors": [breach]}
        return body


class InvalidPolicy(InvalidRequest):
    """A policy (retry, unique, limit, workflow) contradicts its rules."""

    status = 422


class InvalidWorkflow(InvalidRequest):
    """A workflow's structure breaks the rules; each breach is listed in the details (OJS Workflows 11.1)."""

    code = "invalid_workflow"
    hint = "Correct what 'details.validation_errors' lists; nothing has been enqueued."


class SchemaMismatch(InvalidRequest):
    """The arguments do not match the schema that the job names."""

    canonical = "SCHEMA_VALIDATION_FAILED"
    code, status = "schema_validation", 422
    hint = "Correct the arguments named in 'details.validation_errors', or name another schema version."


class Rejected(InvalidRequest):
    """Enqueue middleware refused the job."""

    canonical = "PLAYGROUND_MIDDLEWARE_REJECTED"
    code, status = "middleware_rejected", 422
    hint = "The server's enqueue middleware refused this job; see the message."


class Unsupported(OJSError):
    """The request asks for a version or feature that this server does not have."""

    canonical = "UNSUPPORTED_FEATURE"
    code, status, kind = "unsupported", 422, "unsupported"
    hint = "Read /ojs/manifest for what this server supports."


class ExtensionNotSupported(Unsupported):
    """The request depends on an extension that this server does not have (OJS Extension Lifecycle 8.3)."""

    canonical = "EXTENSION_NOT_SUPPORTED"
    code = "EXTENSION_NOT_SUPPORTED"
    hint = "Read /ojs/manifest for the extensions of this server, or do without this one."

    def to_dict(self, request_id: str | None = None) -> dict[str, Any]:
        """The extension stands in the error object itself."""
        return super().to_dict(request_id) | {"extension": self.details["extension"]}


class PayloadTooLarge(OJSError):
    """The body exceeds the server's limit."""

    canonical = "PAYLOAD_TOO_LARGE"
    code, status, kind = "payload_too_large", 413, "validation_error"
    hint = "Send a smaller body: pass a reference to large data, not the data itself."


class BatchTooLarge(PayloadTooLarge):
    """The batch has more items than one request may have."""

    canonical = "BATCH_SIZE_EXCEEDED"
    code = "BATCH_SIZE_EXCEEDED"
    hint = "Split the batch into chunks of at most 'max_batch_size' items."

    def headers(self) -> dict[str, str]:
        """The limit (OJS Bulk Operations 11.3)."""
        return {"X-OJS-Max-Batch-Size": str(self.details["max_batch_size"])}

    def to_dict(self, request_id: str | None = None) -> dict[str, Any]:
        """The limit stands in the error object itself (OJS Bulk Operations 9.1)."""
        return super().to_dict(request_id) | {"max_batch_size": self.details["max_batch_size"]}


class NotFound(OJSError):
    """There is no such job, queue, workflow, schema or route."""

    canonical = "NOT_FOUND"
    code, status, kind = "not_found", 404, "not_found"
    hint = "Check the identifier and the path; finished jobs may have been deleted."


class MethodNotAllowed(OJSError):
    """The route exists, the method does not."""

    canonical = "PLAYGROUND_METHOD_NOT_ALLOWED"
    code, status, kind = "method_not_allowed", 405, "invalid_request"
    hint = "Use one of the methods in the Allow header."


class Conflict(OJSError):
    """The job's state, or its reservation, does not allow the operation."""

    canonical = "INVALID_STATE_TRANSITION"
    code, status, kind = "conflict", 409, "conflict"
    hint = "Read the job again: its state has moved on."


class Duplicate(OJSError):
    """A job with this id, or with this unique key, exists already."""

    canonical = "DUPLICATE_JOB"
    code, status, kind = "duplicate", 409, "conflict"
    hint = "The existing job is named in 'details.existing_job_id'."


class QueuePaused(OJSError):
    """The queue does not take part in this operation while it is paused."""

    canonical = "QUEUE_PAUSED"
    code, status, kind, retryable = "queue_paused", 422, "conflict", True
    hint = "Resume the queue, then try again."


class QueueDraining(OJSError):
    """The queue takes no more jobs: it is being emptied."""

    canonical = "PLAYGROUND_QUEUE_DRAINING"
    code, status, kind = "queue_draining", 422, "conflict"
    hint = "Enqueue into another queue."


class TypeNotAllowed(InvalidRequest):
    """The queue's configuration does not list this job type."""

    canonical = "INVALID_JOB_TYPE"
    code, status = "JOB_TYPE_NOT_ALLOWED", 422
    hint = "Use a queue that takes this job type; the queue's configuration lists those that it takes."


class QueueFull(OJSError):
    """The queue has reached its bound and its policy is to refuse."""

    canonical = "QUEUE_FULL"
    code, status, kind, retryable = "QUEUE_FULL", 429, "backpressure", True
    hint = "Wait as long as the Retry-After header says, then enqueue again."

    def headers(self) -> dict[str, str]:
        """Depth and bound (OJS Backpressure 7.2)."""
        return {
            "X-OJS-Queue-Depth": str(self.details["depth"]),
            "X-OJS-Queue-Bound": str(self.details["bound"]),
        }

    def to_dict(self, request_id: str | None = None) -> dict[str, Any]:
        """Queue, depth, bound and strategy stand in the error object itself (OJS Backpressure 7.1)."""
        named = ("queue", "depth", "bound", "strategy")
        return super().to_dict(request_id) | {name: self.details[name] for name in named}


class TenantLimitExceeded(OJSError):
    """The tenant has reached one of its limits."""

    canonical = "TENANT_LIMIT_EXCEEDED"
    code, status, kind, retryable = "TENANT_LIMIT_EXCEEDED", 429, "rate_limit", True
    hint = "Wait as long as the Retry-After header says, then enqueue again."

    def to_dict(self, request_id: str | None = None) -> dict[str, Any]:
        """Tenant, limit and figures stand in the error object itself (OJS Multi-Tenancy 8.2)."""
        named = ("tenant_id", "limit", "current", "maximum")
        return super().to_dict(request_id) | {name: self.details[name] for name in named}


class RateLimited(OJSError):
    """Too many requests."""

    canonical = "RATE_LIMITED"
    code, status, kind, retryable = "rate_limited", 429, "rate_limit", True
    hint = "Wait as long as the Retry-After header says, then try again."


class Unavailable(OJSError):
    """The store cannot be reached now; nothing was changed."""

    canonical = "BACKEND_UNAVAILABLE"
    code, status, kind, retryable = "backend_error", 503, "backend_error", True
    hint = "Try again shortly; /ojs/v1/health tells when the store is back."


class MetadataTooLarge(PayloadTooLarge):
    """The job's ``meta`` exceeds 64 KB (OJS Payload Limits 4.3)."""

    canonical = "METADATA_TOO_LARGE"
    code = "metadata_too_large"
    hint = "Keep identifiers in 'meta' and data elsewhere."


class ResultTooLarge(PayloadTooLarge):
    """The result exceeds its limit; the job stays active (OJS Results 7.2)."""

    canonical = "RESULT_TOO_LARGE"
    code = "result_too_large"
    hint = "Store the result elsewhere and acknowledge with a reference to it."


class UnsupportedCompression(OJSError):
    """The body's Content-Encoding is not one that this server reads (OJS Payload Limits 9.3)."""

    canonical = "UNSUPPORTED_COMPRESSION"
    code, status, kind = "unsupported_compression", 415, "validation_error"
    hint = "Send the body as it is, or compressed with gzip."


class ResultPruned(NotFound):
    """The job has ended, but its result has been kept long enough (OJS Results 8.2)."""

    canonical = "RESULT_PRUNED"
    code, status = "result_pruned", 410
    hint = "Enqueue with a longer 'result_ttl', or -1 to keep results."


class WaitTimeout(OJSError):
    """The job has not ended within the time that the request would wait (OJS Results 8.2)."""

    canonical = "PLAYGROUND_WAIT_TIMEOUT"
    code, status, kind, retryable = "wait_timeout", 408, "timeout", True
    hint = "Ask again, or listen to the job's result stream."


class AgentInvalid(InvalidRequest):
    """An ``ext_agent_*`` field is outside its range (OJS AI Agents 6.1)."""

    canonical = "AGENT_INVALID_PARAMETER"
    code = "agent_invalid_parameter"


class AgentTooDeep(InvalidRequest):
    """The delegation chain is as long as it may get (OJS AI Agents 3.3)."""

    canonical = "AGENT_MAX_DELEGATION_DEPTH"
    code = "agent_max_delegation_depth"
    hint = "Let the parent do the work itself, or allow a greater depth at the root."


class AgentOutput(SchemaMismatch):
    """The agent's result does not match its declared output schema; the job stays active (OJS AI Agents 2.4)."""

    canonical = "AGENT_OUTPUT_SCHEMA_VIOLATION"
    code, retryable = "agent_output_schema_violation", True
    hint = (
        "Correct the parts named in 'details.validation_errors' and acknowledge again, or report a failure."
    )


class AgentToolUnknown(InvalidRequest):
    """The agent called a tool that its job does not declare (OJS AI Agents 3.4)."""

    canonical = "AGENT_TOOL_NOT_FOUND"
    code = "agent_tool_not_found"
