"""Requests that are held, over a real socket: a full queue that blocks, a result that is waited for."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from playground.hosts.holding import MOST
from tests.conftest import Server


@pytest.fixture(scope="module")
def idle() -> Iterator[Server]:
    """A server without workers."""
    server = Server()
    yield server
    server.stop()


def ask(
    server: Server, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, dict[str, Any], float]:
    """Status, JSON body and seconds of one request."""
    start = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    sent = {"Content-Type": "application/json"} | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    connection.request(method, f"/ojs/v1{path}", None if body is None else json.dumps(body), sent)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer, time.monotonic() - start


def full(server: Server, queue: str) -> str:
    """A queue that blocks at one job, and the job in it."""
    ask(
        server,
        "PUT",
        f"/admin/queues/{queue}/config",
        {"backpressure": {"max_depth": 1, "strategy": "block"}},
    )
    return str(ask(server, "POST", "/jobs", {"type": "a.b", "args": [], "queue": queue})[1]["job"]["id"])


def rejected(server: Server, queue: str) -> int:
    events = ask(server, "GET", f"/events?type=backpressure.rejected&queue={queue}&limit=1000")[1]["events"]
    return len(events)


def test_a_producer_waits_until_there_is_room(idle: Server) -> None:
    """OJS Backpressure 5.2; it was never refused, so no event says so."""
    first = full(idle, "hold-room")
    job = {"type": "a.b", "args": [2], "queue": "hold-room"}
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(ask, idle, "POST", "/jobs", job, OJS_Block_Timeout="20")
        time.sleep(0.5)
        assert not waiting.done()
        assert ask(idle, "GET", "/health")[2] < 0.5, "others are answered meanwhile"
        ask(idle, "DELETE", f"/jobs/{first}")
        status, body, seconds = waiting.result()
    assert (status, body["job"]["args"]) == (201, [2])
    assert 0.4 < seconds < 5
    assert rejected(idle, "hold-room") == 0


def test_a_producer_whose_time_is_over_is_refused(idle: Server) -> None:
    full(idle, "hold-over")
    job = {"type": "a.b", "args": [], "queue": "hold-over"}
    status, body, seconds = ask(idle, "POST", "/jobs", job, OJS_Block_Timeout="1")
    assert (status, body["error"]["code"], body["error"]["strategy"]) == (429, "QUEUE_FULL", "block")
    assert 1 <= seconds < 5
    assert rejected(idle, "hold-over") == 1


def test_a_batch_waits_for_room_for_all_of_it(idle: Server) -> None:
    """OJS Backpressure 9.3."""
    first = full(idle, "hold-batch")
    config = {"backpressure": {"max_depth": 2, "strategy": "block"}}
    ask(idle, "PUT", "/admin/queues/hold-batch/config", config)
    jobs = {"jobs": [{"type": "a.b", "args": [n], "queue": "hold-batch"} for n in range(2)]}
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(ask, idle, "POST", "/jobs/batch", jobs, OJS_Block_Timeout="20")
        time.sleep(0.3)
        assert not waiting.done(), "there is room for one only"
        ask(idle, "DELETE", f"/jobs/{first}")
        assert waiting.result()[0] == 201


def test_a_result_is_waited_for(idle: Server) -> None:
    """OJS Results 8.2."""
    job = ask(idle, "POST", "/jobs", {"type": "a.b", "args": [], "queue": "hold-result"})[1]["job"]["id"]
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(ask, idle, "GET", f"/jobs/{job}/result?wait=true&timeout=20")
        time.sleep(0.3)
        assert ask(idle, "POST", "/workers/fetch", {"queues": ["hold-result"]})[1]["jobs"]
        assert not waiting.done()
        ask(idle, "POST", "/workers/ack", {"job_id": job, "result": 42})
        status, body, seconds = waiting.result()
    assert (status, body["state"], body["result"]) == (200, "completed", 42)
    assert seconds < 5


def test_a_wait_for_a_result_ends(idle: Server) -> None:
    job = ask(idle, "POST", "/jobs", {"type": "a.b", "args": [], "queue": "hold-late"})[1]["job"]["id"]
    status, body, seconds = ask(idle, "GET", f"/jobs/{job}/result?wait=true&timeout=1")
    assert (status, body["error"]["code"]) == (408, "wait_timeout")
    assert 1 <= seconds < 5


def test_time_itself_may_bring_what_is_waited_for(idle: Server) -> None:
    """A timer of the server ends a wait as a request does."""
    job = {"type": "a.b", "args": [], "queue": "hold-timer", "options": {"enqueue_ttl": 1}}
    found = ask(idle, "POST", "/jobs", job)[1]["job"]["id"]
    status, body, seconds = ask(idle, "GET", f"/jobs/{found}/result?wait=true&timeout=20")
    assert (status, body["state"]) == (200, "discarded")
    assert seconds < 5


def test_only_some_are_held_so_that_the_server_stays_free(idle: Server) -> None:
    job = ask(idle, "POST", "/jobs", {"type": "a.b", "args": [], "queue": "hold-many"})[1]["job"]["id"]
    path = f"/jobs/{job}/result?wait=true&timeout=3"
    with ThreadPoolExecutor(MOST + 2) as pool:
        found = [one.result() for one in [pool.submit(ask, idle, "GET", path) for _ in range(MOST + 2)]]
    assert {status for status, _, _ in found} == {408}
    assert sum(seconds > 2.5 for _, _, seconds in found) == MOST


def test_while_many_are_held_others_are_answered(idle: Server) -> None:
    """Each has a thread of its own, beside those for requests."""
    job = ask(idle, "POST", "/jobs", {"type": "a.b", "args": [], "queue": "hold-crowd"})[1]["job"]["id"]
    path = f"/jobs/{job}/result?wait=true&timeout=20"
    with ThreadPoolExecutor(30) as pool:
        waiting = [pool.submit(ask, idle, "GET", path) for _ in range(30)]
        time.sleep(0.5)
        assert ask(idle, "GET", "/health")[2] < 1
        ask(idle, "DELETE", f"/jobs/{job}")
        assert {one.result()[0] for one in waiting} == {200}


def test_a_server_that_stops_answers_whoever_waits() -> None:
    from engine.http.message import Hold, Request, Response  # noqa: PLC0415 - for this test alone
    from playground.hosts.holding import Holds  # noqa: PLC0415 - as above
    from playground.hosts.turns import Turns  # noqa: PLC0415 - as above

    turns = Turns()
    holds = Holds(turns)
    answers: list[int] = []

    def answer(request: Request) -> Response:
        return Response(200, hold=Hold(60, lambda: False)) if request.patient else Response(408)

    def wait() -> None:
        answers.append(holds.answer(answer, Request("GET", "/")).status)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.1)
    with turns.alone():
        holds.close()
    thread.join(5)
    assert answers == [408]
