"""The Open Job Spec job system: pure, deterministic, standard library only.

Nothing in this package does I/O, reads a clock or draws its own randomness; all three are handed in.
"""

from typing import TYPE_CHECKING, Any

from engine.core import Engine
from engine.job import Job
from engine.memory import MemoryStore
from engine.operations import Pushed

if TYPE_CHECKING:
    from engine.storage import Store

__all__ = ["Engine", "Job", "MemoryStore", "Pushed", "Store"]


def __getattr__(name: str) -> Any:
    """The store's protocol, which only type checkers and authors of stores need."""
    if name != "Store":
        raise AttributeError(name)
    from engine.storage import Store  # noqa: PLC0415 - start-up does without it

    return Store
