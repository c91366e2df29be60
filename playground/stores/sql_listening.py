"""What other processes on one PostgreSQL database do: `LISTEN`, and an advisory lock for who sends webhooks."""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg import sql

from playground.stores.database import REACH
from playground.stores.listening import PAUSE, TOGETHER, Listener
from playground.stores.sql import SqlDatabase

_LEADER: Final = 0x6F6A73


class PostgresListener(Listener):
    """Hears what others write.

    Args:
        database: This process's, which is PostgreSQL.
    """

    errors = (psycopg.Error,)

    def __init__(self, database: SqlDatabase) -> None:
        super().__init__()
        url = database.url.set(drivername="postgresql")
        self._address = url.render_as_string(hide_password=False)
        self._channel, self._mine = database.channel, database.writer

    def _once(self) -> None:
        with psycopg.connect(self._address, autocommit=True, connect_timeout=REACH) as connection:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
            self._hear()  # of what was written before
            while not self._ended.is_set():
                self._listen(connection)

    def _listen(self, connection: psycopg.Connection) -> None:
        """Hear for a while."""
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
