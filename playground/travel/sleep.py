"""Worlds as bytes in which the jobs sleep: a job's fields come back when somebody first looks at it.

A world has thousands of jobs, of which a page shows some dozens, and the next steps touch a few more. Restoring all
their fields would take most of the time that a move of the cursor may take.
"""

from __future__ import annotations

import gc
import pickle
import zlib
from collections.abc import Callable
from io import BytesIO
from operator import attrgetter
from typing import Any, Final

from engine.job import Job
from playground.world import World

_NAMES: Final = tuple(Job.__slots__)
_fields: Final = attrgetter(*_NAMES)
_put: Final = Job.__dict__["path"].__set__
_kept: Final = Job.__dict__["path"].__get__


class Sleeper(Job):
    """A job whose fields are still bytes, kept in the place of its path. Whoever touches it has an ordinary job."""

    __slots__ = ()

    @property
    def path(self) -> Any:  # type: ignore[override]
        """The job's path."""
        return _awake(self).path

    def __getattr__(self, name: str) -> Any:  # the fields have no values yet
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_awake(self), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_awake(self), name, value)


def _awake(sleeper: Job) -> Job:
    values = pickle.loads(_kept(sleeper))  # noqa: S301 - our own bytes, never a visitor's
    object.__setattr__(sleeper, "__class__", Job)
    for name, value in zip(_NAMES, values, strict=True):
        setattr(sleeper, name, value)
    return sleeper


def _asleep(data: bytes) -> Sleeper:
    sleeper = Sleeper.__new__(Sleeper)
    _put(sleeper, data)
    return sleeper


class _Pickler(pickle.Pickler):
    def reducer_override(self, thing: Any) -> Any:
        kind = type(thing)
        if kind is Job:
            return _asleep, (pickle.dumps(_fields(thing), pickle.HIGHEST_PROTOCOL),)
        return (_asleep, (_kept(thing),)) if kind is Sleeper else NotImplemented


def freeze(world: World) -> bytes:
    """A world as bytes."""
    file = BytesIO()
    _undisturbed(lambda: _Pickler(file, pickle.HIGHEST_PROTOCOL).dump(world))
    return zlib.compress(file.getbuffer(), 1)


def thaw(data: bytes) -> World:
    """The world again."""
    world: World = _undisturbed(lambda: pickle.loads(zlib.decompress(data)))  # noqa: S301 - our own bytes
    return world


def _undisturbed(work: Callable[[], Any]) -> Any:
    """Work without the garbage collector, which would look through everything several times, and find nothing."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        return work()
    finally:
        if collecting:
            gc.enable()
