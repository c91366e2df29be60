"""``serve --attach``: another server in the same views, its limits hidden, its troubles told, its return noticed."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from engine.http.message import Response
from engine.times import format_time
from playground.session import Session
from tests.conftest import Server
from tests.host.attached import Peer, attached, call, written


def fill(session: Session) -> dict[str, str]:
    """A bit of everything; the ids of what was made."""
    for number in range(3):
        call(
            session, "POST", "/jobs", {"type": "email.send", "args": [number], "options": {"queue": "emails"}}
        )
    call(session, "POST", "/queues/emails/pause")
    doomed = call(
        session,
        "POST",
        "/jobs",
        {"type": "doomed.job", "args": [], "retry": {"max_attempts": 1, "on_exhaustion": "dead_letter"}},
    )["id"]
    call(session, "POST", "/workers/fetch", {"queues": ["default"], "worker_id": "w-1"})
    error = {"code": "boom", "type": "BoomError", "message": "it broke"}
    call(session, "POST", "/workers/nack", {"job_id": doomed, "worker_id": "w-1", "error": error})
    call(session, "POST", "/jobs", {"type": "held.job", "args": [], "options": {"queue": "held"}})
    call(session, "POST", "/workers/fetch", {"queues": ["held"], "worker_id": "w-1"})
    later = call(
        session, "POST", "/jobs", {"type": "later.job", "args": [], "options": {"delay_until": "PT1H"}}
    )
    call(session, "POST", "/cron", {"name": "nightly", "expression": "0 3 * * *", "type": "report.build"})
    steps = [{"type": "first.step", "args": []}, {"type": "second.step", "args": []}]
    chain = call(session, "POST", "/workflows", {"type": "chain", "name": "onboard", "steps": steps})
    return {"doomed": doomed, "later": later["id"], "chain": chain["id"]}


def test_an_attached_server_stands_in_the_same_views(session: Session, peer: Peer) -> None:
    ids = fill(session)
    with attached(peer.url) as shown:
        shown.until(lambda: len(shown.session.engine.store.queues()) == 3)
        theirs, copy = session.engine.store, shown.session.engine.store
        assert copy.counts() == theirs.counts()
        assert copy.counts("emails") == theirs.counts("emails")
        for job in theirs.jobs(limit=50):
            assert shown.session.body(copy.get(job.id)) == job.to_dict()
        expected = {
            "board": "scheduled",
            "found": "later.job",
            "queues": "emails",
            "dead": "doomed.job",
            "failures": "BoomError",
            "cron": "nightly",
            "workflows": "onboard",
            "registry": "w-1",
            "log": "job.discarded",
            "timeline": "doomed.job",
            f"workflow:{ids['chain']}": "second.step",
            f"job:{ids['doomed']}": "it broke",
            "queue:emails": "paused",
        }
        for view, text in expected.items():
            assert text in shown.app.view(view), view
        banner = shown.app.view("time")
        assert peer.url in banner
        assert "ojs-playground" in banner
        assert "level 4" in banner
        for path in (
            "/",
            "/play",
            "/play?see=events&do=console",
            f"/play/jobs/{ids['doomed']}",
            "/play/queues/emails",
        ):
            shown.page(path)


def test_what_is_done_is_done_there_and_seen_here(session: Session, peer: Peer) -> None:
    ids = fill(session)
    with attached(peer.url) as shown:
        shown.read()
        assert (
            b"went in as"
            in shown.ask("POST", "/ui/jobs", 'body={"type":"from.here","args":[]}', hx_request="true").body
        )
        made = session.engine.store.jobs(type="from.here")[0]
        shown.until(lambda: shown.session.engine.store.get(made.id))
        for path, state in (
            (f"/ui/jobs/{made.id}/cancel", lambda: session.engine.store.get(made.id).state == "cancelled"),
            ("/ui/queues/emails/resume", lambda: not session.engine.queues.paused("emails")),
            ("/ui/cron/nightly/trigger", lambda: session.engine.store.jobs(type="report.build")),
            (
                f"/ui/workflows/{ids['chain']}/cancel",
                lambda: b"cancelled" in peer_says(peer, f"/workflows/{ids['chain']}"),
            ),
            (f"/ui/dead-letter/{ids['doomed']}/retry", lambda: session.engine.store.dead_count() == 0),
        ):
            assert shown.ask("POST", path, "", hx_request="true").status in {200, 204}, path
            assert state(), path
        shown.until(lambda: shown.session.engine.store.get(made.id).state == "cancelled")
        form = "method=GET&path=/ojs/v1/jobs/" + made.id + "&headers=&body="
        assert b"from.here" in shown.ask("POST", "/ui/console", form, hx_request="true").body
        # A client that speaks to this address speaks to the other server.
        job = json.loads(shown.ask("POST", "/ojs/v1/jobs", {"type": "by.client", "args": [1]}).body)["job"]
        assert session.engine.store.get(job["id"]).args == [1]
        assert shown.ask("POST", "/ui/reset", "").status == 409
        assert session.engine.store.get(job["id"]) is not None


def peer_says(peer: Peer, path: str) -> bytes:
    with urllib.request.urlopen(f"{peer.url}/ojs/v1{path}") as answer:
        return bytes(answer.read())


def test_conformance_runs_against_it(session: Session, peer: Peer) -> None:
    del session
    with attached(peer.url) as shown:
        shown.read()
        assert f'value="{peer.url}"' in shown.page("/conformance")
        case = next(iter(one for one in shown.app.trial.cases.values() if one.level == 0 and not one.needs))
        shown.ask("POST", "/ui/conformance/run", f"url={peer.url}&case={case.id}")
        shown.until(lambda: shown.app.trial.row(case.id).result is not None)
        assert shown.app.trial.row(case.id).result.verdict == "passed"
        assert any(one.headers.get("user-agent") == "ojs-conformance" for one in peer.asked)


# servers that do less


def small(**more: Any) -> dict[str, Any]:
    """A server of another make: level 0, brief lists, its own way to wrap them."""
    now = int(time.time() * 1000)
    brief = {
        "id": "job-1",
        "type": "tiny.job",
        "queue": "default",
        "state": "available",
        "created_at": format_time(now),
    }
    return {
        "/ojs/manifest": {
            "implementation": {"name": "tiny", "version": "9"},
            "conformance_level": 0,
            "capabilities": {
                "cron_jobs": False,
                "workflows": False,
                "pause_resume": False,
                "batch_enqueue": False,
            },
        },
        "/ojs/v1/cron": {"cron_jobs": []},  # there, but its manifest does not promise it
        "/ojs/v1/queues": {"queues": ["default"]},
        "/ojs/v1/admin/jobs": {"items": [brief], "pagination": {"total": 1}},
        "/ojs/v1/jobs/job-1": {"job": {**brief, "args": ["whole"], "errors": ["it was hard"], "attempt": 1}},
        **more,
    }


def test_what_a_smaller_server_cannot_do_is_hidden() -> None:
    peer = Peer(written(small()))
    with attached(peer.url) as shown:
        shown.read()
        play = shown.page("/play?see=cron&do=workers")
        for gone in ("see=cron", "see=workflows", "see=dead", "see=limits", "see=registry", "do=workers"):
            assert f"/play?{gone}" not in play, gone
        for kept in ("see=jobs", "see=queues", "see=events", "do=console"):
            assert f"/play?{kept}" in play, kept
        assert '<option value="cron"' not in play
        assert '<option value="workflow"' not in play
        for path in ("/play/cron", "/play/workflows", "/play/workflows/w"):
            answer = shown.ask("GET", path)
            assert answer.status == 404
            assert b"The attached server has no" in answer.body
        assert "/ui/queues/default/pause" not in shown.app.view("queues")
        assert 'id="configure"' not in shown.page("/play/queues/default")
        assert "tiny.job" in shown.app.view("found")
        job = shown.page("/play/jobs/job-1")
        assert "whole" in job
        assert "it was hard" in job
        assert "does not count the jobs of each queue" in shown.app.view("time")
        refused = shown.ask("POST", "/ui/jobs/job-1/cancel", "", hx_request="true").body
        assert b"The server refuses this with 405" in refused
        assert not any(one.url.startswith("/ojs/v1/cron") for one in peer.asked)
        assert sum(one.url.startswith("/ojs/v1/workflows") for one in peer.asked) == 0
    peer.close()


def test_without_manifest_and_lists_it_shows_what_it_finds() -> None:
    now = format_time(int(time.time() * 1000))
    frame = {"id": "e1", "type": "job.started", "time": now, "subject": "job-1", "data": {"job_id": "job-1"}}
    routes = small()
    del routes["/ojs/manifest"], routes["/ojs/v1/admin/jobs"]
    stream = f'id: e1\nevent: job.started\ndata: {json.dumps(frame)}\n\nid: e2\ndata: {{"cut'.encode()
    routes["/ojs/v1/events/stream"] = Response(200, {"Content-Type": "text/event-stream"}, stream)
    peer = Peer(written(routes))
    with attached(peer.url) as shown:
        shown.until(lambda: shown.session.engine.store.get("job-1"))
        banner = shown.app.view("time")
        assert "It has no manifest" in banner
        assert "It lists no jobs" in banner
        shown.read()
        assert shown.app.view("log").count("job.started") == 1  # each event once, however often it is sent
        assert any(one.headers.get("last-event-id") == "e1" for one in peer.asked)
        assert "/play?see=cron" in shown.page("/play")  # the route is there
    peer.close()


@pytest.mark.parametrize(
    "odd",
    [
        {
            "/ojs/v1/admin/jobs": {
                "items": [{}, {"id": 5}, {"id": "x", "type": "a", "state": "strange"}, None, 7]
            }
        },
        {
            "/ojs/v1/admin/jobs": {
                "items": [{"id": "x", "type": "a.b", "state": "active", "created_at": "soon"}]
            }
        },
        {"/ojs/v1/queues": {"queues": [{"name": "Bad Name"}, {"counts": {"available": "many"}}, 3]}},
        {"/ojs/v1/queues": {"queues": {"default": 1}}},
        {"/ojs/manifest": {}, "/ojs/v1/cron": {"cron_jobs": [{"name": "n", "expression": "whenever"}, {}]}},
        {
            "/ojs/manifest": {},
            "/ojs/v1/workflows": {"workflows": [{"id": "w", "steps": [{"depends_on": 3}, 4]}, {}]},
        },
        {"/ojs/v1/events": {"events": [{"type": "job.scheduled", "time": "2026-01-01T00:00:00Z"}, 3]}},
        {"/ojs/v1/admin/workers": {"items": [{"id": "w", "queues": "q", "state": "odd"}, {"id": None}]}},
        {"/ojs/v1/admin/stats": {"jobs": {"available": -4}}},
        {"/ojs/v1/dead-letter": {"jobs": [{"id": "d", "type": "a.b", "error": 5}], "total": 12}},
    ],
)
def test_odd_answers_break_no_view(odd: dict[str, Any]) -> None:
    peer = Peer(written(small(**odd)))
    with attached(peer.url) as shown:
        shown.read()
        shown.read()
        for view in (
            "board",
            "found",
            "queues",
            "dead",
            "failures",
            "cron",
            "workflows",
            "registry",
            "log",
            "time",
            "timeline",
        ):
            shown.app.view(view)
        shown.page("/play")
    peer.close()


# the command


def test_the_command_shows_a_server_that_dies_and_comes_back() -> None:
    first = Server()
    shown = Server("--attach", first.url)
    try:
        body = json.dumps({"type": "over.sockets", "args": []}).encode()
        asked = urllib.request.Request(
            f"{shown.url}/ojs/v1/jobs", body, {"content-type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(asked, timeout=5) as answer:
            assert answer.status == 201
        wait(lambda: "over.sockets" in view(shown, "found"))
        first.stop()
        wait(lambda: "refused the connection" in view(shown, "time"))
        assert "over.sockets" in view(shown, "found")
        first = Server(port=first.port)
        wait(lambda: "over.sockets" not in view(shown, "found"))
        assert "refused" not in view(shown, "time")
    finally:
        shown.stop()
        first.stop()


def view(server: Server, name: str) -> str:
    with urllib.request.urlopen(f"{server.url}/ui/views/{name}", timeout=5) as answer:
        return str(answer.read().decode())


def wait(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
