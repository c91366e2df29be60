"""Rulings about cron entries and workflows."""

from __future__ import annotations

from typing import Any

from engine.times import parse_time
from tests.unit.ruling_checks import Desk, proves

STEP = {"type": "a.step", "args": []}


def _entry(desk: Desk, status: int = 201, **fields: Any) -> dict[str, Any]:
    body = {"name": "tick", "cron": "* * * * *", "type": "a.tick", **fields}
    return desk.ok("POST", "/cron", body, status)


def _workflow(desk: Desk, kind: str, *steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    part = "steps" if kind == "chain" else "jobs"
    body = {"type": kind, part: list(steps), **fields}
    made: dict[str, Any] = desk.ok("POST", "/workflows", body, 201)["workflow"]
    return made


def _look(desk: Desk, workflow: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = desk.ok("GET", f"/workflows/{workflow['id']}")["workflow"]
    return found


@proves("R-cron-fields")
def _(desk: Desk) -> None:
    flat = _entry(desk, args=[1], options={"queue": "q"})
    template = {"type": "a.tick", "args": [1], "options": {"queue": "q"}}
    nested = desk.ok(
        "POST", "/cron", {"name": "two", "expression": "* * * * *", "job_template": template}, 201
    )
    for answer in (flat, nested):
        entry = answer["cron"]
        assert entry == answer["cron_job"]
        assert (entry["cron"], entry["expression"]) == ("* * * * *", "* * * * *")
        assert (entry["type"], entry["args"], entry["job_template"]) == ("a.tick", [1], template)
    listed = desk.ok("GET", "/cron")
    assert listed["crons"] == listed["cron_jobs"]
    assert len(listed["crons"]) == 2


@proves("R-cron-again", "R-cron-args")
def _(desk: Desk) -> None:
    assert _entry(desk)["cron"]["args"] == []
    assert _entry(desk, 200, cron="@hourly")["cron"]["cron"] == "@hourly"
    assert [entry["cron"] for entry in desk.ok("GET", "/cron")["crons"]] == ["@hourly"]


@proves("R-cron-expression-error")
def _(desk: Desk) -> None:
    bad = "61 * * * *"
    template = {"name": "n", "expression": bad, "job_template": {"type": "a"}}
    for field, body in (("cron", {"name": "n", "cron": bad, "type": "a"}), ("expression", template)):
        error = desk.refused("POST", "/cron", body, 400, "invalid_request")
        assert (error["canonical_code"], error["details"]["field"]) == ("INVALID_CRON_EXPRESSION", field)


@proves("R-cron-status", "R-cron-delete")
def _(desk: Desk) -> None:
    made = _entry(desk)["cron"]
    assert (made["status"], made["enabled"]) == ("active", True)
    off = desk.ok("PATCH", "/cron/tick", {"enabled": False})["cron"]
    assert (off["status"], off["enabled"], off["next_run_at"]) == ("disabled", False, None)
    gone = desk.ok("DELETE", "/cron/tick")
    assert (gone["deleted"], gone["name"], gone["cron"]) == (True, "tick", gone["cron_job"])
    assert desk.ok("GET", "/cron")["crons"] == []


@proves("R-cron-seconds")
def _(desk: Desk) -> None:
    assert _entry(desk, cron="*/10 * * * * *")["cron"]["next_run_at"] == "2026-03-01T12:00:10.000Z"
    assert _entry(desk, 200, cron="*/10 * * * *")["cron"]["next_run_at"] == "2026-03-01T12:10:00.000Z"
    _entry(desk, 200, cron="@daily")
    _entry(desk, 400, cron="* * * *")


@proves("R-cron-overlap-names")
def _(desk: Desk) -> None:
    for index, policy in enumerate(("skip", "allow", "cancel", "cancel_previous", "enqueue")):
        _entry(desk, name=f"n{index}", overlap_policy=policy)
    _entry(desk, 400, overlap_policy="whatever")
    _entry(desk, overlap_policy="cancel")
    desk.wait(120_000)
    runs = [job for job in desk.ok("GET", "/jobs")["jobs"] if job["meta"]["cron_name"] == "tick"]
    assert sorted(job["state"] for job in runs) == ["available", "cancelled"]


@proves("R-cron-overlap")
def _(desk: Desk) -> None:
    _entry(desk)
    desk.wait(180_000)
    (job,) = desk.claim(count=9)
    assert len(desk.events("cron.skipped")) == 2
    desk.ack(job)
    desk.wait(60_000)
    assert len(desk.claim(count=9)) == 1


@proves("R-cron-mark")
def _(desk: Desk) -> None:
    _entry(desk)
    desk.wait(60_000)
    (job,) = desk.claim()
    mark = {"cron_name": "tick", "cron_triggered_at": "2026-03-01T12:01:00.000Z"}
    assert job["metadata"] == mark
    assert mark.items() <= job["meta"].items()


@proves("R-cron-repeated-hour")
def _(_desk: Desk) -> None:
    desk = Desk(parse_time("2026-11-01T04:00:00Z"))  # midnight in New York; at 06:00Z it is 01:00 again
    zone = {"timezone": "America/New_York", "overlap_policy": "allow"}
    _entry(desk, name="daily", cron="30 1 * * *", **zone)
    _entry(desk, name="hourly", cron="30 * * * *", **zone)
    _entry(desk, name="interval", cron="@every 30m", **zone)
    desk.wait(4 * 3_600_000)
    counts = {entry["name"]: entry["run_count"] for entry in desk.ok("GET", "/cron")["crons"]}
    assert counts == {"daily": 1, "hourly": 3, "interval": 8}


@proves("R-workflow-shape")
def _(desk: Desk) -> None:
    nested = _workflow(desk, "chain", STEP, {"type": "group", "jobs": [STEP, STEP]})
    assert (nested["type"], nested["name"], nested["jobs_total"]) == ("chain", "", 3)
    steps = [{**STEP, "id": "a", "depends_on": []}, {**STEP, "id": "b", "depends_on": ["a"]}]
    graph = desk.ok("POST", "/workflows", {"steps": steps}, 201)["workflow"]
    assert (graph["type"], graph["steps"][1]["depends_on"]) == ("graph", ["a"])


@proves("R-workflow-state", "R-workflow-counters", "R-workflow-id")
def _(desk: Desk) -> None:
    for kind in ("chain", "group"):
        made = _workflow(desk, kind, STEP, STEP)
        assert (made["state"], made["id"][14]) == ("running", "7")
        assert (made["steps_total"], made["steps_completed"]) == (2, 0)
        assert (made["jobs_total"], made["jobs_completed"]) == (2, 0)
        books = made["metadata"]
        assert (books["job_count"], books["completed_count"], books["failed_count"]) == (2, 0, 0)
    assert _workflow(desk, "chain", STEP, id="wf_mine")["id"] == "wf_mine"


@proves("R-step-state")
def _(desk: Desk) -> None:
    typed = _workflow(desk, "chain", STEP, STEP)
    assert [step["state"] for step in typed["steps"]] == ["pending", "waiting"]
    steps = [{**STEP, "id": "a", "depends_on": []}, {**STEP, "id": "b", "depends_on": ["a"]}]
    graph = desk.ok("POST", "/workflows", {"name": "g", "steps": steps}, 201)["workflow"]
    assert [step["state"] for step in graph["steps"]] == ["available", "pending"]


@proves("R-parent-results")
def _(desk: Desk) -> None:
    _workflow(desk, "chain", STEP, STEP, STEP)
    for expected in ([], [{"n": 1}], [{"n": 1}, {"n": 1}]):
        (job,) = desk.claim()
        assert job["parent_results"] == expected
        desk.ack(job, result={"n": 1})


@proves("R-group-order")
def _(desk: Desk) -> None:
    kinds = ["a.c", "a.a", "a.b"]
    _workflow(desk, "group", *({"type": kind, "args": []} for kind in kinds))
    assert [job["type"] for job in desk.claim(count=3)] == kinds


@proves("R-group-failure")
def _(desk: Desk) -> None:
    made = _workflow(desk, "group", STEP, {**STEP, "options": {"retry": {"max_attempts": 1}}})
    first, second = desk.claim(count=2)
    desk.nack(second)
    assert _look(desk, made)["state"] == "running"
    assert desk.info(first)["state"] == "active"
    desk.ack(first)
    assert _look(desk, made)["state"] == "failed"


@proves("R-workflow-cancel")
def _(desk: Desk) -> None:
    made = _workflow(desk, "group", STEP, STEP)
    (active,) = desk.claim()
    assert desk.ok("DELETE", f"/workflows/{made['id']}")["workflow"]["state"] == "cancelled"
    assert [step["state"] for step in _look(desk, made)["steps"]] == ["cancelled", "cancelled"]
    assert desk.beat(active_jobs=[active["id"]])["jobs_cancelled"] == [active["id"]]
    desk.ack(active, 409)
    desk.refused("DELETE", f"/workflows/{made['id']}", None, 409, "conflict")


@proves("R-batch-end")
def _(desk: Desk) -> None:
    once = {**STEP, "options": {"retry": {"max_attempts": 1}}}
    made = _workflow(desk, "batch", once, STEP, callbacks={"on_success": STEP})
    first, second = desk.claim(count=2)
    desk.nack(first)
    assert _look(desk, made)["state"] == "running"
    desk.ack(second)
    ended = _look(desk, made)
    assert (ended["state"], ended["metadata"]["failed_count"], len(ended["errors"])) == ("completed", 1, 1)
    assert desk.claim() == []


@proves("R-batch-callbacks")
def _(desk: Desk) -> None:
    body = {"type": "batch", "jobs": [STEP]}
    desk.refused("POST", "/workflows", body, 400, "invalid_workflow")
    desk.refused("POST", "/workflows", {**body, "callbacks": {}}, 400, "invalid_workflow")
