"""What a request costs over real HTTP: requests a second and server CPU, against the same WSGI server saying "ok".

Run: ``python bench/serving.py [--seconds S] [--db URL]``. Keep-alive clients on 1, 8 and 32 connections; each figure of
the server stands beside the floor's of the same run, so that the machine's speed cancels out. CPU is what the server's
process uses, user and system, per operation.

``--servers`` compares WSGI servers instead, those that are installed: it is how waitress was chosen.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
CONNECTIONS = (1, 8, 32)
BATCH = 100
JOB = {"type": "email.send", "args": ["user@example.com", "welcome"]}
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
Next = Callable[[bytes], bytes]
"""From an answer's body (empty at first) to the next request."""


def request(path: str, body: Any) -> bytes:
    """A POST on the wire."""
    raw = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(raw)}\r\n\r\n".encode() + raw


ENQUEUE = request("/ojs/v1/jobs", JOB)
MANY = request("/ojs/v1/jobs/batch", {"jobs": [JOB] * BATCH})
FETCH = request("/ojs/v1/workers/fetch", {"queues": ["default"], "worker_id": "bench"})


def always(what: bytes) -> Callable[[], Next]:
    """Clients that send the same request again and again."""
    return lambda: lambda _: what


def cycles() -> Next:
    """A client that enqueues, fetches and acknowledges in turn."""

    def steps() -> Iterator[bytes]:
        while True:
            yield ENQUEUE
            yield FETCH
            found = re.search(rb'"id":"([^"]+)"', last[0])
            assert found, last[0][:200]
            yield request("/ojs/v1/workers/ack", {"job_id": found[1].decode(), "result": {"ok": True}})

    last = [b""]
    going = steps()

    def following(answer: bytes) -> bytes:
        last[0] = answer
        return next(going)

    return following


def cpu(pid: int) -> float:
    """Seconds of CPU that a process and its children have used."""
    pids = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    fields = [Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in pids]
    return sum(int(one[11]) + int(one[12]) for one in fields) / os.sysconf("SC_CLK_TCK")


def drive(
    ports: list[int], connections: int, seconds: float, client: Callable[[], Next]
) -> tuple[int, float]:
    """How many requests were answered, in how many seconds; the connections are shared out among the ports."""
    selector = selectors.DefaultSelector()
    for number in range(connections):
        line = socket.create_connection(("127.0.0.1", ports[number % len(ports)]))
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        following = client()
        selector.register(line, selectors.EVENT_READ, (bytearray(), following))
        line.sendall(following(b""))
    done, begin = 0, time.perf_counter()
    while (now := time.perf_counter()) < begin + seconds:
        for key, _ in selector.select(1):
            buffer, following = key.data
            chunk = key.fileobj.recv(1 << 20)  # type: ignore[union-attr] # sockets only
            assert chunk, "the server closed a connection"
            buffer += chunk
            end = buffer.find(b"\r\n\r\n")
            if (
                end < 0
                or not (found := LENGTH.search(buffer, 0, end))
                or len(buffer) < end + 4 + int(found[1])
            ):
                continue
            assert buffer.startswith(b"HTTP/1.1 2"), bytes(buffer[:400])
            body = bytes(buffer[end + 4 :])
            buffer.clear()
            done += 1
            key.fileobj.sendall(following(body))  # type: ignore[union-attr]
    for key in list(selector.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]
    return done, now - begin


class Measured:
    """A server as a process of its own.

    Args:
        words: Its command after the interpreter; ``PORT`` stands for the port.
    """

    def __init__(self, *words: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        line = [word.replace("PORT", str(self.port)) for word in words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OJS_CONFIG": os.devnull}
        self.process = subprocess.Popen(line, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except OSError:
                assert self.process.poll() is None
                time.sleep(0.05)
        drive([self.port], 4, 0.5, always(ENQUEUE))

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(15)


def figure(
    servers: list[Measured], connections: int, seconds: float, client: Callable[[], Next], per: int
) -> tuple[float, float]:
    """Operations a second, and microseconds of the servers' CPU for each; an operation is ``per`` requests."""
    before = sum(cpu(one.process.pid) for one in servers)
    done, took = drive([one.port for one in servers], connections, seconds, client)
    return done / per / took, (sum(cpu(one.process.pid) for one in servers) - before) / done * per * 1e6


def constant(size: int) -> Callable[[dict[str, Any], Any], list[bytes]]:
    """The floor: reads the request and answers the same bytes."""
    body = b'{"ok":true}' + b" " * (size - 11)

    def answer(environ: dict[str, Any], start: Any) -> list[bytes]:
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    return answer


def floor(port: int) -> None:
    """Serve the constant with the playground's own server and settings."""
    from playground.hosts.serving import Waitress  # noqa: PLC0415 - in the server's process only

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # as the playground does
    listener = socket.socket()
    listener.bind(("127.0.0.1", port))
    front: Any = constant(372)
    driver: Any = SimpleNamespace()
    Waitress(front, driver, listener, largest=1 << 26, streams=1000).run()


def stores(database: str | None, folder: str) -> dict[str, list[list[str]]]:
    """The servers to measure: for each store the command of every process on it."""
    serve = [sys.executable, "-m", "playground.cli", "serve", "--port", "PORT"]
    found = {"memory": [[*serve, "--memory"]], "sqlite": [[*serve, "--db", f"{folder}/bench.db"]]}
    if database and ":" not in database:
        found["sqlite"] = [[*serve, "--db", database]]
    elif database:
        name = "redis" if database.startswith("redis") else "postgresql"
        found[name] = [[*serve, "--db", database]]
        found[f"{name}, 2"] = [[*serve, "--db", database]] * 2
    return found


def compare(seconds: float) -> None:
    """The constant on every WSGI server that is installed."""
    here = str(Path(__file__).resolve())
    bin_ = str(Path(sys.executable).parent)
    servers = {
        "waitress": [sys.executable, here, "--floor", "PORT"],
        "cheroot": [sys.executable, here, "--other", "cheroot", "--floor", "PORT"],
        "gunicorn gthread": [f"{bin_}/gunicorn", "-k", "gthread", "--threads", "8", "-b", "127.0.0.1:PORT"],
        "granian": [
            f"{bin_}/granian",
            "--interface",
            "wsgi",
            "--no-log",
            "--blocking-threads",
            "8",
            "--port",
            "PORT",
        ],
    }
    for name in ("gunicorn gthread", "granian"):
        servers[name].append("bench.http:app")
    for name, words in servers.items():
        try:
            server = Measured(*words)
            told = [figure([server], count, seconds, always(ENQUEUE), 1) for count in CONNECTIONS]
            server.stop()
        except (OSError, AssertionError, ImportError) as error:
            print(f"{name:17} not measured: {error!s:.90}")
            continue
        print(f"{name:17} " + "   ".join(f"{rate:7.0f}/s {cost:5.0f} µs" for rate, cost in told))


app = constant(372)


def other(port: int) -> None:
    """Serve the constant with cheroot."""
    from cheroot.wsgi import Server  # type: ignore[import-not-found] # noqa: PLC0415 - only to compare

    Server(("127.0.0.1", port), app, numthreads=40).start()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--db")
    parser.add_argument("--servers", action="store_true")
    parser.add_argument("--floor", type=int)
    parser.add_argument("--other")
    options = parser.parse_args()
    if options.floor:
        (other if options.other else floor)(options.floor)
        return
    print("connections:           " + "   ".join(f"{count:>17}" for count in CONNECTIONS))
    if options.servers:
        compare(options.seconds)
        return
    base = Measured(sys.executable, str(Path(__file__).resolve()), "--floor", "PORT")
    floors = [figure([base], count, options.seconds, always(ENQUEUE), 1) for count in CONNECTIONS]
    base.stop()
    print(
        "floor                  " + "   ".join(f"{rate:7.0f}/s {cost:5.0f} µs      " for rate, cost in floors)
    )
    with tempfile.TemporaryDirectory() as folder:
        for store, commands in stores(options.db, folder).items():
            measure(store, commands, options.seconds, floors)


def measure(store: str, commands: list[list[str]], seconds: float, floors: list[tuple[float, float]]) -> None:
    """Print the lines of one store."""
    servers: list[Measured] = []
    try:
        servers += [Measured(*words) for words in commands]
        for what, client, per, jobs in (
            ("enqueue", always(ENQUEUE), 1, 1),
            ("cycle", cycles, 3, 1),
            (f"enqueue x{BATCH}", always(MANY), 1, BATCH),
        ):
            told = []
            for count, (basis, _) in zip(CONNECTIONS, floors, strict=True):
                rate, cost = figure(servers, count, seconds, client, per)
                told.append(f"{rate * jobs:7.0f}/s {cost / jobs:5.0f} µs {rate * per / basis:4.0%}")
            print(f"{store + ' ' + what:22} " + "   ".join(told), flush=True)
    finally:
        for server in servers:
            server.stop()


if __name__ == "__main__":
    main()
