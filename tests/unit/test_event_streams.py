"""Events over HTTP: polling with filters, streams, what a reader missed, and when a stream ends (OJS Real-time)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.events import EventLog
from engine.http.message import EventStream, Request
from engine.http.outbox import Outbox
from engine.http.streaming import shutdown_notice
from tests.unit.flow_server import Server


class Reader:
    """Reads a stream: what has come so far, as (event, data, id), and whether it was closed."""

    def __init__(self, server: Server, path: str, last: str | None = None) -> None:
        headers = {} if last is None else {"last-event-id": last}
        self.response = server.binding.handle(Request("GET", f"/ojs/v1{path}", headers))
        assert isinstance(self.response.body, EventStream)
        self.raw = b""
        self.closed = False
        self.stop = self.response.body.start(self._send, self._close)

    def _send(self, chunk: bytes) -> None:
        assert not self.closed
        self.raw += chunk

    def _close(self) -> None:
        self.closed = True

    @property
    def events(self) -> list[tuple[str, dict[str, Any], str]]:
        """Complete events, oldest first."""
        found = []
        for block in self.raw.decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if "event" in fields:
                found.append((fields["event"], json.loads(fields["data"]), fields["id"]))
        return found

    @property
    def kinds(self) -> list[str]:
        """Types of the events so far."""
        return [kind for kind, _, _ in self.events]


@pytest.fixture
def server() -> Server:
    return Server()


def push(server: Server, queue: str = "default", kind: str = "a.b", **more: Any) -> str:
    body = {"type": kind, "args": [], "options": {"queue": queue, "retry": {"max_attempts": 1}}, **more}
    job_id: str = server.ok("POST", "/ojs/v1/jobs", body)["id"]
    return job_id


def finish(server: Server, job_id: str, queue: str = "default") -> None:
    server.ok("POST", "/ojs/v1/workers/fetch", {"queues": [queue], "count": 10})
    server.ok("POST", "/ojs/v1/workers/ack", {"job_id": job_id})


def test_a_job_s_stream_tells_each_move_and_its_events_and_ends_with_the_job(server: Server) -> None:
    job_id = push(server)
    reader = Reader(server, f"/jobs/{job_id}/events")
    assert reader.response.headers["Content-Type"] == "text/event-stream"
    assert reader.raw.startswith(b"retry: 3000\n")
    other = push(server)
    finish(server, job_id)
    assert reader.kinds == ["job.state_changed", "job.started", "job.state_changed", "job.completed"]
    moves = [data for kind, data, _ in reader.events if kind == "job.state_changed"]
    assert moves[0] == {
        "job_id": job_id,
        "queue": "default",
        "type": "a.b",
        "from": "available",
        "to": "active",
        "timestamp": "2026-03-01T12:00:30.000Z",
    }
    assert (moves[1]["from"], moves[1]["to"]) == ("active", "completed")
    envelope = reader.events[-1][1]
    assert (envelope["specversion"], envelope["data"]["job_id"]) == ("1.0", job_id)
    assert reader.closed
    server.ok("POST", "/ojs/v1/workers/ack", {"job_id": other})


def test_a_stream_ends_after_the_last_event_of_a_discarded_job(server: Server) -> None:
    job_id = push(server)
    reader = Reader(server, f"/jobs/{job_id}/events")
    server.fetch()
    server.ok("POST", "/ojs/v1/workers/nack", {"job_id": job_id, "error": {"message": "no"}})
    assert reader.kinds[-1] == "job.discarded"
    assert reader.kinds.count("job.state_changed") == 2
    assert reader.closed


def test_ids_only_go_up(server: Server) -> None:
    reader = Reader(server, "/events/stream")
    for _ in range(3):
        finish(server, push(server))
    ids = [identity for _, _, identity in reader.events]
    assert ids == sorted(set(ids))


def test_the_stream_of_an_ended_job_tells_its_state_once_and_ends(server: Server) -> None:
    job_id = push(server)
    finish(server, job_id)
    reader = Reader(server, f"/jobs/{job_id}/events")
    ((kind, data, _),) = reader.events
    assert (kind, data["from"], data["to"]) == ("job.state_changed", "active", "completed")
    assert reader.closed
    reader.stop()


def test_an_unknown_job_or_queue_has_no_stream(server: Server) -> None:
    assert server.call("GET", "/ojs/v1/jobs/01900000-0000-7000-8000-000000000000/events")[0] == 404
    assert server.call("GET", "/ojs/v1/queues/nowhere/events")[0] == 404
    assert Reader(server, "/queues/default/events").kinds == []


def test_a_queue_s_stream_has_its_jobs_only_until_it_is_stopped(server: Server) -> None:
    push(server, "mine")
    reader = Reader(server, "/queues/mine/events")
    push(server, "other")
    push(server, "mine")
    assert reader.kinds == ["job.enqueued"]
    reader.stop()
    reader.stop()
    push(server, "mine")
    assert reader.kinds == ["job.enqueued"]


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("event_types=job.state_changed", ["job.state_changed", "job.state_changed"]),
        ("event_types=job.completed,job.started", ["job.started", "job.completed"]),
        ("types=job.c*", ["job.completed"]),
        ("job_types=x.y", []),
        ("sources=ojs://*&types=job.started", ["job.started"]),
        ("sources=http://*", []),
        ("queue=other", []),
    ],
)
def test_a_stream_is_filtered(server: Server, query: str, kinds: list[str]) -> None:
    job_id = push(server)
    reader = Reader(server, f"/events/stream?{query}")
    finish(server, job_id)
    assert reader.kinds == kinds


def test_a_channel_names_a_job_a_queue_a_workflow_or_a_cron_entry(server: Server) -> None:
    job_id = push(server, "mine")
    server.entry("tick")
    flow = server.ok(
        "POST", "/ojs/v1/workflows", {"id": "wf", "type": "group", "jobs": [{"type": "a.b", "args": []}]}
    )
    names = (f"job:{job_id}", "queue:mine", f"workflow:{flow['id']}", "cron:tick")
    readers = {name: Reader(server, f"/events/stream?channel={name}") for name in names}
    finish(server, job_id, "mine")
    finish(server, flow["workflow"]["jobs"][0]["job_id"])
    server.wait(60_000)
    assert (
        readers[names[0]].kinds
        == readers[names[1]].kinds
        == [
            "job.state_changed",
            "job.started",
            "job.state_changed",
            "job.completed",
        ]
    )
    assert readers[names[2]].kinds == ["workflow.started", "workflow.job_completed", "workflow.completed"]
    assert readers[names[3]].kinds == ["cron.triggered"]


def test_a_reader_that_comes_back_gets_exactly_what_it_missed(server: Server) -> None:
    """Wherever the connection broke, the two halves together are the whole."""
    whole = Reader(server, "/events/stream")
    for _ in range(2):
        finish(server, push(server))
    for cut in range(len(whole.events)):
        again = Reader(server, "/events/stream", whole.events[cut][2])
        assert again.events == whole.events[cut + 1 :]
        again.stop()


def test_a_reader_that_missed_more_than_is_kept_hears_of_the_gap() -> None:
    server = Server()
    server.engine.kernel.events = EventLog(capacity=3)
    for _ in range(5):
        push(server)
    reader = Reader(server, "/queues/default/events", "evt_000000000001")
    kind, data, identity = reader.events[0]
    assert (kind, identity) == ("system.gap", "evt_000000000002")
    assert (data["channel"], data["estimated_missed_count"]) == ("queue:default", 1)
    assert data["gap_start"] <= data["gap_end"]
    assert reader.kinds[1:] == ["job.enqueued"] * 3


def test_a_reader_of_another_server_s_life_hears_of_a_gap_and_goes_on(server: Server) -> None:
    reader = Reader(server, "/events/stream", "evt_000000000999")
    push(server)
    assert reader.kinds == ["system.gap", "job.enqueued"]


def test_a_strange_last_event_id_is_no_error(server: Server) -> None:
    push(server)
    assert Reader(server, "/events/stream", "what?").kinds == []


def test_polling_goes_on_after_a_cursor(server: Server) -> None:
    for _ in range(3):
        push(server)
    push(server, "other")
    page = server.ok("GET", "/ojs/v1/events?queues=default&limit=2&after=evt_0")
    assert (len(page["events"]), page["has_more"]) == (2, True)
    rest = server.ok("GET", f"/ojs/v1/events?queues=default&after={page['cursor']}")
    assert (len(rest["events"]), rest["has_more"]) == (1, False)
    assert server.ok("GET", "/ojs/v1/events?types=job.*")["count"] == 4
    assert server.ok("GET", "/ojs/v1/events?event_types=queue.*")["count"] == 0
    assert server.call("GET", "/ojs/v1/events?limit=1001")[0] == 400


def test_the_shutdown_notice_says_how_long_there_is(server: Server) -> None:
    notice = shutdown_notice(5000, "deployment", server.engine.events).decode()
    assert "event: server.shutdown\n" in notice
    assert '"grace_period_ms":5000' in notice


def test_an_outbox_hands_out_all_that_waits_in_order() -> None:
    outbox = Outbox("all", lambda: 0)
    assert outbox.take() is None
    outbox.put(b"id: 1\n\n")
    outbox.put(b": comment\n\n")
    assert outbox.take() == b"id: 1\n\n: comment\n\n"
    assert outbox.take() is None


def test_a_slow_reader_loses_the_oldest_events_and_hears_how_many(server: Server) -> None:
    push(server)
    body = server.binding.handle(Request("GET", "/ojs/v1/queues/default/events")).body
    assert isinstance(body, EventStream)
    outbox = Outbox(body.channel, lambda: 0, limit=2)
    body.start(outbox.put, lambda: None)
    for _ in range(5):
        push(server)
    told = (outbox.take() or b"").decode()
    assert told.startswith(":events-dropped 3\n\n")
    notice = json.loads(told.split("data: ")[1].split("\n")[0])
    assert (notice["channel"], notice["dropped_count"]) == ("queue:default", 3)
    assert (notice["oldest_dropped_id"], notice["newest_dropped_id"]) == (
        "evt_000000000002",
        "evt_000000000004",
    )
    assert told.count("event: job.enqueued") == 2
    push(server)
    assert b"dropped" not in (outbox.take() or b"")
