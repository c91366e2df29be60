"""What other processes on one database do, told at once, and who of them sends webhooks.

Each commit that wrote notifies a channel with its writer's name. A listener has a connection and a thread of its own,
and lets its host take a look whenever somebody else has written, and after any time in which it could not hear.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import ClassVar, Final

LOG: Final = logging.getLogger("ojs.server")
PAUSE: Final = 1.0
"""Seconds between two attempts to listen again, and to become the one who leads."""
TOGETHER: Final = 0.02
"""Seconds for which more is awaited, so that a busy writer does not make everybody look at each of its commits."""


class Listener:
    """Hears what others write.

    Attributes:
        errors: What a database that is out of reach raises.
        leads: Whether this process is the one of all on the database that sends webhooks.
    """

    errors: ClassVar[tuple[type[Exception], ...]] = ()

    def __init__(self) -> None:
        self._hear: Callable[[], None] = lambda: None
        self._ended = threading.Event()
        self.leads = False

    def start(self, hear: Callable[[], None]) -> None:
        """Begin.

        Args:
            hear: Called in the listener's thread whenever another process has written.
        """
        self._hear = hear
        threading.Thread(target=self._run, name="listener", daemon=True).start()

    def stop(self) -> None:
        """Hear no more, within a second."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._once()
            except self.errors as error:
                LOG.warning("Other processes cannot be heard: %s", str(error).partition("\n")[0])
            except Exception:
                LOG.exception("What another process did could not be shown.")
            self.leads = False
            self._ended.wait(PAUSE)

    def _once(self) -> None:
        """Connect, and listen until told to stop or until the connection is lost."""
        raise NotImplementedError
