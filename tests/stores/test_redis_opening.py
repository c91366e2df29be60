"""Opening a database in Redis: what is refused, each with one line that says why."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
import redis

from playground.stores.opening import StoreError, open_store
from tests.conftest import command
from tests.stores.conftest import Own


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("redis://127.0.0.1:1", "cannot be reached"),
        ("redis://127.0.0.1:many", "cannot be read"),
        ("redis://127.0.0.1/name", "the number being that of a database"),
        ("redis:///0", "the number being that of a database"),
        ("redis://127.0.0.1?prefix=", "A prefix has 1 to 64"),
        ("redis://127.0.0.1?prefix=a*", "A prefix has 1 to 64"),
        ("redis://127.0.0.1?colour=red", "'colour' is no option"),
        ("redis://me:secret@127.0.0.1:1", "redis://me@127.0.0.1:1: "),
    ],
)
def test_what_cannot_be_opened_is_said_in_one_line(where: str, words: str) -> None:
    with pytest.raises(StoreError) as refused:
        open_store(where)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_wrong_password_is_said_and_a_right_one_taken(own_redis: Own) -> None:
    own = own_redis("--requirepass", "right")
    for user in ("", ":wrong@", "nobody:wrong@"):
        with pytest.raises(StoreError, match="Redis refuses the name or the password"):
            open_store(own.url.replace("//", "//" + user))
    store = open_store(own.url.replace("//", "//:right@"))
    assert store.database.shown == own.url
    store.close()


def test_a_user_who_may_not_write_is_said(own_redis: Own) -> None:
    own = own_redis()
    with own.client() as other:
        other.acl_setuser("reader", enabled=True, nopass=True, keys=["*"], categories=["+@read"])
    with pytest.raises(StoreError, match="does not let this user"):
        open_store(own.url.replace("//", "//reader:x@"))


def test_a_newer_database_is_refused(prefix: str, redis_url: str) -> None:
    open_store(prefix).close()
    with redis.Redis.from_url(redis_url) as other:
        other.hset(prefix.partition("prefix=")[2] + ":clock", "schema", 9999)
    with pytest.raises(StoreError, match=r"a newer playground has written this database \(schema 9999"):
        open_store(prefix)


def test_something_else_under_the_prefix_is_left_alone(prefix: str, redis_url: str) -> None:
    name = prefix.partition("prefix=")[2]
    with redis.Redis.from_url(redis_url) as other:
        other.set(f"{name}:clock", "mine")
        with pytest.raises(StoreError, match="Something else lies under the prefix"):
            open_store(prefix)
        assert other.get(f"{name}:clock") == b"mine"


def test_a_redis_that_would_throw_jobs_away_is_refused(own_redis: Own) -> None:
    own = own_redis("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
    with pytest.raises(StoreError, match=r"would throw jobs away .* \(maxmemory-policy allkeys-lru\)"):
        open_store(own.url)


def test_that_redis_keeps_nothing_on_disk_is_said_at_the_start(
    own_redis: Own, caplog: pytest.LogCaptureFixture
) -> None:
    own = own_redis()
    open_store(own.url).close()
    assert "appendonly no" in caplog.text
    caplog.clear()
    with own.client() as other:
        other.config_set("appendonly", "yes")
    open_store(own.url).close()
    assert not caplog.text


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            "redis_version:6.2.14\r\nredis_mode:standalone",
            "this is Redis 6.2.14; version 7 or newer is needed",
        ),
        ("redis_version:7.2.4\r\nredis_mode:cluster", "Redis Cluster is no store"),
    ],
)
def test_a_redis_of_another_kind_is_refused(told: str, words: str) -> None:
    """What these say of themselves; only the current Redis is at hand."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        line, _ = listener.accept()
        while got := line.recv(1 << 16):
            told_ = told.encode()
            for _ in range(got.count(b"*")):
                what = b"$%d\r\n%s\r\n" % (len(told_), told_) if b"INFO" in got else b"+OK\r\n"
                line.sendall(b":1\r\n" if b"\r\nID\r\n" in got else what)

    threading.Thread(target=answer, daemon=True).start()
    with pytest.raises(StoreError, match=words):
        open_store(f"redis://127.0.0.1:{listener.getsockname()[1]}")
    listener.close()


def test_serve_ends_with_one_line_when_redis_is_out_of_reach() -> None:
    done = command("serve", "--port", "1234", "--db", "redis://:secret@127.0.0.1:1")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "redis://127.0.0.1:1: The database cannot be reached." in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.parametrize("what", ["backup", "restore"])
def test_copies_are_redis_own_affair(what: str, tmp_path: Path) -> None:
    done = command(what, "copy.db", "--db", "redis://127.0.0.1", cwd=tmp_path)
    assert done.returncode == 1
    assert "redis-cli --rdb" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())
