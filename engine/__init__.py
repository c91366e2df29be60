"""The Open Job Spec job system: pure, deterministic, standard library only.

Nothing in this package does I/O, reads a clock or draws its own randomness; all three are handed in.
"""

from engine.core import Engine
from engine.job import Job
from engine.memory import MemoryStore
from engine.operations import Pushed
from engine.storage import Store

__all__ = ["Engine", "Job", "MemoryStore", "Pushed", "Store"]
