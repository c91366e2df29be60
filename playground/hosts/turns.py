"""Turns: the one lock around the application, and what a turn does to a store that outlives the process.

Requests that come together share one commit: whoever finds others waiting for the lock leaves the commit to the last of
them, and nobody is answered before it has happened. So a busy server waits for the disk once for many requests, and an
idle one not a moment longer than it must.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol, TypeVar

from engine.errors import InternalError, OJSError

MOST: Final = 64
"""Requests that share a commit at most."""
T = TypeVar("T")


class Keeper(Protocol):
    """A store whose turns end with a commit."""

    def commit(self) -> bool:
        """Make what the turn did last.

        Raises:
            OJSError: It does not; nothing of it has happened.
        """
        ...

    def undo(self) -> None:
        """Let the turn not have been."""
        ...

    def close(self) -> None:
        """Let go of everything; whoever asks it from here on is refused."""
        ...


class _Batch:
    """Requests that share a commit.

    Attributes:
        size: How many there are.
        error: Why nothing of what they did has happened.
        done: Set once it is decided.
    """

    __slots__ = ("done", "error", "size")

    def __init__(self) -> None:
        self.size = 0
        self.error: OJSError | None = None
        self.done = threading.Event()


class Turns:
    """Lets one thread at a time do something with the application.

    Args:
        keeper: The store, where it outlives the process.

    Attributes:
        ended: Called, under the lock, after each turn that may have changed something.
    """

    def __init__(self, keeper: Keeper | None = None) -> None:
        self.ended: Callable[[], None] = lambda: None
        self._keeper = keeper
        self._lock = threading.RLock()
        self._depth = 0
        self._door = threading.Lock()
        self._waiting = 0
        self._batch = _Batch()

    @contextmanager
    def alone(self, *, quiet: bool = False) -> Iterator[None]:
        """A turn of its own; what others have done just before is committed with it.

        Args:
            quiet: Nothing is done but to look and to wait; nobody need hear of it.

        Raises:
            OJSError: It could not be committed; nothing of it has happened.
        """
        with self._lock:
            self._depth += 1
            try:
                yield
            except BaseException:
                if self._depth == 1:
                    self._commit()
                raise
            finally:
                self._depth -= 1
            if not self._depth:
                error = self._commit()
                if not quiet:
                    self.ended()
                if error is not None:
                    raise error

    @contextmanager
    def still(self) -> Iterator[None]:
        """The lock for what writes nothing, or whose failure is told elsewhere: it never raises for the store."""
        with self._lock:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if not self._depth:
                    self._commit()

    def together(self, work: Callable[[], T]) -> T:
        """A turn that may be committed together with those that wait.

        Raises:
            OJSError: It could not be committed; nothing of it has happened.
        """
        if self._keeper is None:
            with self._lock:
                result = work()
                self.ended()
                return result
        with self._door:
            self._waiting += 1
        with self._lock:
            with self._door:
                self._waiting -= 1
                last = not self._waiting
            batch = self._batch
            batch.size += 1
            try:
                result = work()
            except BaseException:
                self._keeper.undo()
                self._decide(InternalError("A request that came with this one broke the server's turn."))
                raise
            if last or batch.size >= MOST:
                self._commit()
                self.ended()
        batch.done.wait()
        if batch.error is not None:
            raise batch.error
        return result

    def condition(self) -> threading.Condition:
        """Something that threads can wait for in a turn."""
        return threading.Condition(self._lock)

    def wait(self, condition: threading.Condition, seconds: float | None = None) -> None:
        """End the turn under way, and sleep until the condition is notified, or for so long.

        Raises:
            OJSError: The turn could not be committed; nothing of it has happened.
        """
        error = self._commit()
        if error is not None:
            raise error
        depth, self._depth = self._depth, 0  # the lock is let go of whole, and others have turns of their own
        condition.wait(seconds)
        self._depth = depth

    def close(self) -> None:
        """Close the store, between two turns: whoever comes later is refused."""
        with self._lock:
            if self._keeper is not None:
                self._commit()
                self._keeper.close()

    def _commit(self) -> OJSError | None:
        error: OJSError | None = None
        if self._keeper is not None:
            try:
                self._keeper.commit()
            except OJSError as failed:
                error = failed
            self._decide(error)
        return error

    def _decide(self, error: OJSError | None) -> None:
        batch, self._batch = self._batch, _Batch()
        batch.error = error
        batch.done.set()
