"""What other processes on one PostgreSQL database do, told at once: `LISTEN`, and who of them sends webhooks.

Each commit that wrote notifies the channel with its writer's name. A listener has a connection and a thread of its own,
and lets its host take a look whenever somebody else has written, and after any time in which it could not hear.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

import psycopg
from psycopg import sql

from playground.stores.database import REACH
from playground.stores.store import SqlStore

LOG: Final = logging.getLogger("ojs.server")
PAUSE: Final = 1.0
"""Seconds between two attempts to listen again, and to become the one who leads."""
TOGETHER: Final = 0.02
"""Seconds for which more is awaited, so that a busy writer does not make everybody look at each of its commits."""
_LEADER: Final = 0x6F6A73


class Listener:
    """Hears what others write.

    Args:
        store: This process's store, over PostgreSQL.

    Attributes:
        leads: Whether this process is the one of all on the database that sends webhooks.
    """

    def __init__(self, store: SqlStore) -> None:
        url = store.database.url.set(drivername="postgresql")
        self._address = url.render_as_string(hide_password=False)
        self._channel, self._mine = store.channel, store.writer
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
                with psycopg.connect(self._address, autocommit=True, connect_timeout=REACH) as connection:
                    connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
                    self._hear()  # of what was written before
                    self._listen(connection)
            except psycopg.Error as error:
                LOG.warning("Other processes cannot be heard: %s", str(error).partition("\n")[0])
            except Exception:
                LOG.exception("What another process did could not be shown.")
            self.leads = False
            self._ended.wait(PAUSE)

    def _listen(self, connection: psycopg.Connection) -> None:
        while not self._ended.is_set():
            if not self.leads:
                query = "SELECT pg_try_advisory_lock(%s, hashtext(%s))"
                found = connection.execute(query, (_LEADER, self._channel)).fetchone()
                self.leads = bool(found and found[0])
            heard = [note.payload for note in connection.notifies(timeout=PAUSE, stop_after=1)]
            if heard:
                self._ended.wait(TOGETHER)
                heard += [note.payload for note in connection.notifies(timeout=0)]
            if any(writer != self._mine for writer in heard):
                self._hear()
