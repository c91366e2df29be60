"""Reads an attached server in a thread of its own, and hands what it saw to the application in a turn."""

from __future__ import annotations

import logging
import threading
from time import monotonic
from typing import Final

from playground.attach.events import Happened
from playground.attach.remote import Trouble
from playground.attach.session import Attached
from playground.hosts.driver import Driver

LOG: Final = logging.getLogger("ojs.attach")
PAUSE: Final = 1.0
REST: Final = 5.0
SOON: Final = 0.05
"""Seconds between a request that was passed on and a look."""


class Watcher:
    """Reads until it is closed; trouble is told, and the server asked again.

    Args:
        driver: Gives the application's turns.
        session: Whose server is read.
        pause: Seconds between two questions for events, and after trouble.
        rest: Seconds after which everything is read though no event told of a change.
    """

    def __init__(
        self, driver: Driver, session: Attached, *, pause: float = PAUSE, rest: float = REST
    ) -> None:
        self._pause, self._rest = pause, rest
        self._driver = driver
        self._session = session
        self._ended = False
        self._stirred = threading.Event()
        self._looked = 0.0
        self._happened: list[Happened] = []
        session.apart = driver.apart
        session.stir = self._stirred.set
        threading.Thread(target=self._run, name="attached", daemon=True).start()

    def _run(self) -> None:
        troubled = ""
        while not self._ended:
            try:
                self._read()
                if troubled:
                    LOG.warning("The attached server can be read again.")
                troubled = ""
            except Trouble as trouble:
                if str(trouble) != troubled:
                    troubled = str(trouble)
                    LOG.warning("The attached server cannot be read: %s", troubled)
                self._lost(trouble)
            except Exception:  # whatever a server sends, the thread goes on
                LOG.exception("What the attached server sends cannot be shown.")
                self._lost(Trouble(f"What {self._session.remote.url} sends cannot be shown; see the log."))
            if self._stirred.wait(self._pause):
                self._stirred.clear()
                self._looked = 0.0
                threading.Event().wait(SOON)

    def _read(self) -> None:
        session = self._session
        self._happened += session.reader.happened()
        if not self._happened and monotonic() - self._looked < self._rest:
            return
        look = session.reader.look(list(session.wanted))
        self._looked = monotonic()
        happened, self._happened = self._happened, []
        self._driver.do(lambda: session.take(look, happened))

    def _lost(self, trouble: Trouble) -> None:
        session = self._session
        self._looked = 0.0
        session.reader.forget()
        session.reader.feed.forget()
        self._driver.do(lambda: session.lost(trouble))

    def close(self) -> None:
        """Read no more."""
        self._ended = True
        self._stirred.set()
