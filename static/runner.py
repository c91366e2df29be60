"""Runs the visitor's Python inside a disposable Pyodide worker, driven by ``static/runner.mjs``.

Nothing here knows the engine: a handler gets a job, and its result or its error goes back as JSON. What it asks of
the server goes over ``fetch``, which the page answers.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import linecache
import traceback
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

FILE = "handler.py"
"""The visitor's text, as tracebacks name it."""
TOP_LEVEL_AWAIT = 0x2000
"""``ast.PyCF_ALLOW_TOP_LEVEL_AWAIT``, without the module."""
JSON_HEADERS = {"Content-Type": "application/json"}

Send = Callable[[str, str, str | None], Coroutine[Any, Any, tuple[int, str]]]
"""Sends a request: method, path, body; gives status and body."""


class Refused(Exception):
    """The server said no; the message is its own."""


class Client:
    """What a handler speaks with the server: ``await ojs.enqueue("email.send", ["a@b.c"], queue="mail")``.

    Args:
        send: Sends a request.
    """

    def __init__(self, send: Send) -> None:
        self._send = send

    async def _ask(self, method: str, path: str, body: object = None) -> Any:
        text = None if body is None else json.dumps(body)
        status, answer = await self._send(method, f"/ojs/v1{path}", text)
        told = json.loads(answer) if answer else None
        if status >= 400:
            raise Refused(f"{status}: {told['error']['message']}")
        return told

    def request(self, method: str, path: str, body: object = None) -> asyncio.Future[Any]:
        """Send any request, at once: what it answers can be awaited, or left."""
        return asyncio.ensure_future(self._ask(method, path, body))

    def enqueue(self, type: str, args: list[Any] | None = None, **fields: Any) -> asyncio.Future[Any]:  # noqa: A002 - the standard's name
        """Enqueue a job; the answer is the job."""

        async def push() -> Any:
            return (await self._ask("POST", "/jobs", {"type": type, "args": args or [], **fields}))["job"]

        return asyncio.ensure_future(push())


class Job:
    """A job in a handler's hands: ``job.args``, ``job["args"]``, ``job.attempt``, … as in its JSON.

    Args:
        facts: The job as FETCH gave it.
        client: How it reports progress.
    """

    def __init__(self, facts: dict[str, Any], client: Client) -> None:
        self._facts = facts
        self._client = client

    def __getattr__(self, name: str) -> Any:
        try:
            return self._facts[name]
        except KeyError:
            raise AttributeError(f"This job has no '{name}'; it has {', '.join(self._facts)}.") from None

    def __getitem__(self, name: str) -> Any:
        return self._facts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __repr__(self) -> str:
        return f"<job {self._facts['type']} {self._facts['id']}, attempt {self._facts['attempt']}>"

    def progress(self, share: float, message: str | None = None) -> asyncio.Future[Any]:
        """Tell how far it is, from 0 to 1."""
        body = {
            "job_id": self.id,
            "worker_id": self._facts.get("worker_id"),
            "progress": share,
            "message": message,
        }
        return self._client.request("POST", "/workers/progress", body)


def told(error: BaseException) -> str:
    """The traceback in the visitor's own lines: it begins where their text begins."""
    said = traceback.TracebackException.from_exception(error)
    first = next((index for index, frame in enumerate(said.stack) if frame.filename == FILE), len(said.stack))
    del said.stack[:first]
    return "".join(said.format()).rstrip()


class Runner:
    """One start of the visitor's text.

    Args:
        send: Sends a request to the server.
    """

    def __init__(self, send: Send) -> None:
        self.client = Client(send)
        self.names: dict[str, Any] = {"__name__": "__main__", "ojs": self.client}

    async def start(self, text: str) -> str:
        """Run the text's own statements.

        Returns:
            JSON: ``{"types": ["*"]}``, no type where it defines no ``handle``; or ``{"text": traceback}``.
        """
        linecache.cache[FILE] = (len(text), None, [f"{line}\n" for line in text.splitlines()], FILE)
        try:
            code = compile(text, FILE, "exec", flags=TOP_LEVEL_AWAIT, dont_inherit=True)
            waits = eval(code, self.names)  # noqa: S307 - the visitor's own text, which is what this worker is for
            if inspect.iscoroutine(waits):
                await waits
        except KeyboardInterrupt:
            return json.dumps({"text": "It was stopped at its deadline before it had started."})
        except BaseException as error:  # noqa: BLE001 - whatever they raise, SystemExit too, is theirs to see
            return json.dumps({"text": told(error)})
        return json.dumps({"types": ["*"] if callable(self.names.get("handle")) else []})

    async def run(self, text: str, limit: float) -> str:
        """Do one job.

        Args:
            text: The job as JSON.
            limit: Seconds; a busy handler is interrupted from outside, a waiting one here, a little earlier.

        Returns:
            JSON: ``{"result": …}``, or ``{"error": {code, type, message, trace}}``.
        """
        late = asyncio.timeout(max(0.01, limit - 0.1))
        try:
            async with late:
                result = self.names["handle"](Job(json.loads(text), self.client))
                if inspect.isawaitable(result):
                    result = await result
            return json.dumps({"result": result}, allow_nan=False)
        except KeyboardInterrupt as error:
            return _failure(
                "handler_timeout", "Deadline", f"The handler ran for more than {limit:g} s.", error
            )
        except BaseException as error:  # noqa: BLE001 - as above
            if late.expired():
                return _failure(
                    "handler_timeout", "Deadline", f"The handler ran for more than {limit:g} s.", error
                )
            return _failure("handler_error", type(error).__name__, str(error) or type(error).__name__, error)


def _failure(code: str, kind: str, message: str, error: BaseException) -> str:
    return json.dumps({"error": {"code": code, "type": kind, "message": message, "trace": told(error)}})
