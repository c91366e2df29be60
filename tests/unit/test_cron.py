"""Cron entries: registration, firing, overlap, missed occurrences, events and endpoints (OJS Cron)."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest

from engine.memory import MemoryStore
from engine.times import DAY, HOUR, MINUTE, SECOND, format_time, parse_time
from tests.unit.flow_server import START, Server


class CopyingStore(MemoryStore):
    """Hands out and takes in copies of records, as a database does: what is not given back is lost."""

    def record(self, kind: str, key: str) -> dict[str, Any] | None:
        """A copy of the record."""
        return copy.deepcopy(super().record(kind, key))

    def put_record(self, kind: str, key: str, value: dict[str, Any]) -> None:
        """Keep a copy."""
        super().put_record(kind, key, copy.deepcopy(value))


@pytest.fixture
def server() -> Server:
    return Server(store=CopyingStore())


def test_both_vocabularies_register_the_same_entry_and_both_come_back(server: Server) -> None:
    flat = {"name": "a", "cron": "0 9 * * *", "type": "x.y", "args": [1], "options": {"queue": "q"}}
    template = {"name": "b", "expression": "0 9 * * *", "job_template": {"type": "x.y", "args": [1]}}
    for body in (flat, template):
        status, answer = server.call("POST", "/ojs/v1/cron", body)
        assert status == 201
        assert answer["cron"] == answer["cron_job"]
        entry = answer["cron"]
        assert entry["cron"] == entry["expression"] == "0 9 * * *"
        assert (entry["type"], entry["args"], entry["job_template"]["type"]) == ("x.y", [1], "x.y")
        assert (entry["timezone"], entry["overlap_policy"], entry["enabled"]) == ("UTC", "skip", True)
        assert (entry["status"], entry["run_count"], entry["last_run_at"]) == ("active", 0, None)
        assert entry["next_run_at"] == "2026-03-02T09:00:00.000Z"
        assert entry["created_at"] == format_time(START)
        assert entry["summary"] == "At 09:00 (UTC)."
    listed = server.ok("GET", "/ojs/v1/cron")
    assert listed["crons"] == listed["cron_jobs"]
    assert [entry["name"] for entry in listed["crons"]] == ["a", "b"]


def test_registering_a_name_again_replaces_the_entry_and_keeps_its_counters(server: Server) -> None:
    created = server.entry()["created_at"]
    server.wait(MINUTE)
    status, answer = server.call(
        "POST", "/ojs/v1/cron", {"name": "tick", "cron": "0 * * * *", "type": "other.job"}
    )
    entry = answer["cron"]
    assert status == 200
    assert (entry["type"], entry["run_count"], entry["created_at"]) == ("other.job", 1, created)
    assert entry["next_run_at"] == "2026-03-01T13:00:00.000Z"
    server.wait(HOUR)
    assert len(server.ok("GET", "/ojs/v1/cron")["crons"]) == 1


def test_an_interval_registered_again_at_each_boot_does_not_starve(server: Server) -> None:
    server.entry(expression="@every 10m")
    server.wait(6 * MINUTE)
    server.entry(expression="@every 10m")
    server.wait(5 * MINUTE)
    assert len(server.fetch()) == 1


def test_system_managed_fields_of_a_request_are_ignored(server: Server) -> None:
    entry = server.entry(
        run_count=7, last_run_at="2020-01-01T00:00:00Z", next_run_at="x", created_at="y", status="z"
    )
    assert (entry["run_count"], entry["last_run_at"], entry["status"]) == (0, None, "active")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "Upper"}, "name"),
        ({"name": None}, "name"),
        ({"name": "-x"}, "name"),
        ({"name": "a" * 256}, "name"),
        ({"cron": "61 * * * *"}, "cron"),
        ({"cron": ""}, "cron"),
        ({"cron": None}, "cron"),
        ({"cron": 5}, "cron"),
        ({"cron": "0 0 31 2 *"}, "cron"),
        ({"expression": "nonsense"}, "expression"),
        ({"timezone": "EST"}, "timezone"),
        ({"timezone": "+01:00"}, "timezone"),
        ({"timezone": 1}, "timezone"),
        ({"type": None}, "type"),
        ({"type": "Not.A.Type"}, "type"),
        ({"args": {}}, "args"),
        ({"options": {"priority": 1000}}, "options.priority"),
        ({"options": []}, "options"),
        ({"job_template": 3}, "job_template"),
        ({"job_template": {"type": "a.b", "id": "01900000-0000-7000-8000-000000000000"}}, "id"),
        ({"overlap_policy": "maybe"}, "overlap_policy"),
        ({"misfire_policy": "maybe"}, "misfire_policy"),
        ({"enabled": "yes"}, "enabled"),
        ({"description": 1}, "description"),
    ],
)
def test_a_bad_field_is_named_in_the_refusal_and_nothing_changes(
    server: Server, change: dict[str, Any], field: str
) -> None:
    before = copy.deepcopy(server.engine.store.records("cron"))
    status, answer = server.call(
        "POST", "/ojs/v1/cron", {"name": "a", "cron": "@daily", "type": "a.b", **change}
    )
    assert (status, answer["error"]["details"]["field"]) == (400, field)
    assert server.engine.store.records("cron") == before
    assert server.engine.next_due() is None


def test_a_time_that_its_zone_never_shows_is_refused(server: Server) -> None:
    """2:30 on the second Sunday in March: New York's clocks skip it every year."""
    body = {"name": "a", "cron": "30 2 * 3 SUN#2", "timezone": "America/New_York", "type": "a.b"}
    status, answer = server.call("POST", "/ojs/v1/cron", body)
    assert status == 400
    assert "can never fire" in answer["error"]["message"]


def test_a_run_is_a_job_that_carries_the_entry_s_name(server: Server) -> None:
    server.entry(args=[1], options={"queue": "default", "tags": ["t"], "meta": {"who": "me"}, "timeout": 5})
    server.wait(MINUTE)
    (job,) = server.fetch()
    assert (job["type"], job["args"], job["tags"], job["timeout_ms"]) == ("report.make", [1], ["t"], 5000)
    assert job["metadata"] == {"cron_name": "tick", "cron_triggered_at": "2026-03-01T12:01:00.000Z"}
    assert job["meta"]["cron_name"] == job["cron_name"] == "tick"
    assert job["meta"]["who"] == "me"


def test_each_run_is_an_event_in_both_documents_names(server: Server) -> None:
    server.entry()
    server.wait(MINUTE)
    (event,) = server.events("cron.triggered")
    data = event["data"]
    assert event["subject"] == data["cron_name"] == "tick"
    assert data["cron_expression"] == data["cron_expr"] == "* * * * *"
    assert data["scheduled_time"] == data["scheduled_at"] == data["actual_time"] == "2026-03-01T12:01:00.000Z"
    assert (data["run_count"], data["job_type"], data["timezone"]) == (1, "report.make", "UTC")
    assert data["job_id"] == server.fetch()[0]["id"]
    entry = server.ok("GET", "/ojs/v1/cron/tick")["cron"]
    assert (entry["run_count"], entry["last_run_at"]) == (1, "2026-03-01T12:01:00.000Z")
    assert entry["next_run_at"] == "2026-03-01T12:02:00.000Z"


def test_skip_counts_a_run_that_has_not_ended_even_if_nobody_fetched_it(server: Server) -> None:
    server.entry()
    server.wait(3 * MINUTE)
    assert len(server.fetch()) == 1
    skipped = server.events("cron.skipped")
    assert [event["data"]["reason"] for event in skipped] == ["overlap_skip", "overlap_skip"]
    running = server.events("cron.triggered")[0]["data"]["job_id"]
    assert skipped[0]["data"]["active_job_id"] == skipped[0]["data"]["existing_job_id"] == running
    server.ok("POST", "/ojs/v1/workers/ack", {"job_id": running})
    server.wait(MINUTE)
    assert len(server.fetch()) == 1


def test_allow_enqueues_whatever_still_runs(server: Server) -> None:
    server.entry(overlap_policy="allow")
    server.wait(3 * MINUTE)
    assert len(server.fetch()) == 3


@pytest.mark.parametrize("name", ["cancel_previous", "cancel", "replace"])
def test_cancel_previous_cancels_the_run_before(server: Server, name: str) -> None:
    assert server.entry(overlap_policy=name)["overlap_policy"] == name
    server.wait(MINUTE)
    (first,) = server.fetch()
    server.wait(MINUTE)
    assert server.ok("GET", f"/ojs/v1/jobs/{first['id']}")["job"]["state"] == "cancelled"
    assert len(server.fetch()) == 1


@pytest.mark.parametrize("name", ["enqueue", "queue"])
def test_enqueue_lets_runs_wait_for_the_one_before(server: Server, name: str) -> None:
    server.entry(overlap_policy=name)
    server.wait(4 * MINUTE)
    assert server.ok("GET", "/ojs/v1/cron/tick")["cron"]["warnings"] == [
        "4 runs have not ended; they go one after another."
    ]
    seen = []
    for _ in range(4):
        (job,) = server.fetch()
        assert server.fetch() == []
        seen.append(job["meta"]["cron_scheduled_at"])
        server.ok("POST", "/ojs/v1/workers/ack", {"job_id": job["id"]})
    assert seen == sorted(seen)
    assert len(set(seen)) == 4


def test_a_failed_run_that_will_be_tried_again_still_holds_back_the_next(server: Server) -> None:
    server.entry(overlap_policy="enqueue", options={"retry": {"initial_interval": "PT10S", "jitter": False}})
    server.wait(2 * MINUTE)
    (first,) = server.fetch()
    server.ok("POST", "/ojs/v1/workers/nack", {"job_id": first["id"], "error": {"message": "no"}})
    assert server.fetch() == []
    server.wait(10 * SECOND)
    seen = []
    for _ in range(2):
        (job,) = server.fetch()
        assert server.fetch() == []
        seen.append(job["id"])
        server.ok("POST", "/ojs/v1/workers/ack", {"job_id": job["id"]})
    assert first["id"] in seen


def test_a_run_waiting_for_the_one_before_does_not_hold_up_other_jobs(server: Server) -> None:
    server.entry(overlap_policy="enqueue")
    server.wait(2 * MINUTE)
    server.fetch()
    server.ok("POST", "/ojs/v1/jobs", {"type": "a.b", "args": []})
    assert [job["type"] for job in server.fetch()] == ["a.b"]


def test_a_disabled_entry_does_not_fire_and_says_so(server: Server) -> None:
    server.entry()
    entry = server.ok("PATCH", "/ojs/v1/cron/tick", {"enabled": False})["cron_job"]
    assert (entry["enabled"], entry["status"], entry["next_run_at"]) == (False, "disabled", None)
    server.wait(MINUTE)
    assert server.fetch() == []
    assert [event["data"]["reason"] for event in server.events("cron.skipped")] == ["disabled"]
    assert server.ok("PATCH", "/ojs/v1/cron/tick", {"enabled": True})["cron"]["next_run_at"]
    server.wait(MINUTE)
    assert len(server.fetch()) == 1


def test_a_paused_entry_resumes(server: Server) -> None:
    server.entry()
    assert server.ok("POST", "/ojs/v1/cron/tick/pause")["cron"]["status"] == "paused"
    assert server.ok("POST", "/ojs/v1/cron/tick/resume")["cron"]["status"] == "active"
    assert server.call("PATCH", "/ojs/v1/cron/tick", {})[0] == 400


def test_the_list_is_filtered_by_enabled_and_paged(server: Server) -> None:
    for index in range(5):
        server.entry(f"e{index}", enabled=index % 2 == 0)
    names = [entry["name"] for entry in server.ok("GET", "/ojs/v1/cron?enabled=true")["crons"]]
    assert names == ["e0", "e2", "e4"]
    page = server.ok("GET", "/ojs/v1/cron?limit=2&offset=2")
    assert [entry["name"] for entry in page["crons"]] == ["e2", "e3"]
    assert (page["total"], page["pagination"]["has_more"], page["count"]) == (5, True, 2)
    more = server.ok("GET", f"/ojs/v1/cron?limit=2&cursor={page['pagination']['next_cursor']}")
    assert [entry["name"] for entry in more["crons"]] == ["e4"]
    assert "next_cursor" not in more["pagination"]
    assert server.call("GET", "/ojs/v1/cron?cursor=what")[0] == 400
    assert [entry["name"] for entry in server.ok("GET", "/ojs/v1/cron?per_page=2&page=3")["crons"]] == ["e4"]
    assert server.call("GET", "/ojs/v1/cron?enabled=maybe")[0] == 400


def test_a_removed_entry_is_gone_and_its_jobs_stay(server: Server) -> None:
    server.entry()
    server.wait(MINUTE)
    answer = server.ok("DELETE", "/ojs/v1/cron/tick")
    assert (answer["deleted"], answer["name"], answer["cron"]["name"]) == (True, "tick", "tick")
    assert server.call("DELETE", "/ojs/v1/cron/tick")[0] == 404
    assert server.call("GET", "/ojs/v1/cron/tick")[0] == 404
    server.wait(MINUTE)
    (job,) = server.fetch()
    server.ok("POST", "/ojs/v1/workers/ack", {"job_id": job["id"]})


def test_a_run_by_hand_ignores_the_overlap_policy_and_leaves_the_schedule(server: Server) -> None:
    server.entry(enabled=False)
    status, answer = server.call("POST", "/ojs/v1/cron/tick/trigger")
    assert (status, answer["state"], answer["cron"]["run_count"]) == (201, "available", 1)
    assert server.ok("POST", "/ojs/v1/cron/tick/trigger")["cron"]["run_count"] == 2
    assert len(server.fetch()) == 2
    assert server.events("cron.triggered")[0]["data"]["manual"] is True
    assert server.call("POST", "/ojs/v1/cron/none/trigger")[0] == 404


def test_next_runs_and_history_can_be_read(server: Server) -> None:
    server.entry()
    answer = server.ok("GET", "/ojs/v1/cron/tick/next?count=3")
    assert answer["next_runs"] == [f"2026-03-01T12:0{minute}:00.000Z" for minute in (1, 2, 3)]
    server.wait(2 * MINUTE)
    history = server.ok("GET", "/ojs/v1/cron/tick/history")["history"]
    assert [entry["outcome"] for entry in history] == ["skipped", "triggered"]
    assert history[0]["reason"] == "overlap_skip"
    assert history[1]["scheduled_at"] == "2026-03-01T12:01:00.000Z"


def test_a_preview_registers_nothing(server: Server) -> None:
    body = {"expression": "0 9 * * *", "timezone": "Asia/Tokyo", "count": 2}
    answer = server.ok("POST", "/ojs/v1/cron/preview", body)
    assert answer["next_runs"] == ["2026-03-02T00:00:00.000Z", "2026-03-03T00:00:00.000Z"]
    assert answer["summary"] == "At 09:00 (Asia/Tokyo)."
    assert server.ok("GET", "/ojs/v1/cron")["crons"] == []
    assert server.call("POST", "/ojs/v1/cron/preview", {"expression": "x"})[0] == 400


def test_an_entry_named_like_a_route_is_an_entry(server: Server) -> None:
    server.entry("preview")
    assert server.ok("GET", "/ojs/v1/cron/preview")["cron"]["name"] == "preview"


def test_every_occurrence_of_a_jump_in_virtual_time_happens_at_its_own_instant(server: Server) -> None:
    server.entry(overlap_policy="allow")
    server.wait(10 * MINUTE)
    times = [event["time"] for event in server.events("cron.triggered")]
    assert times == [f"2026-03-01T12:{minute:02d}:00.000Z" for minute in range(1, 11)]


def test_a_server_that_stood_still_catches_up_with_one_run(server: Server) -> None:
    """OJS Cron 7.3: at most one catch-up, and the next run lies in the future."""
    server.engine.cron.late = 5 * SECOND
    server.entry(overlap_policy="allow")
    server.wait(10 * MINUTE)
    (event,) = server.events("cron.triggered")
    assert event["data"]["scheduled_time"] == "2026-03-01T12:01:00.000Z"
    assert event["data"]["actual_time"] == "2026-03-01T12:10:30.000Z"
    assert server.ok("GET", "/ojs/v1/cron/tick")["cron"]["next_run_at"] == "2026-03-01T12:11:00.000Z"
    server.wait(31 * SECOND)
    assert len(server.events("cron.triggered")) == 2


def test_an_interval_keeps_its_beat_after_a_standstill(server: Server) -> None:
    server.engine.cron.late = 5 * SECOND
    server.entry(expression="@every 4m", overlap_policy="allow")
    server.wait(10 * MINUTE)
    assert len(server.events("cron.triggered")) == 1
    assert server.ok("GET", "/ojs/v1/cron/tick")["cron"]["next_run_at"] == "2026-03-01T12:12:30.000Z"


@pytest.mark.parametrize(("policy", "runs"), [("skip", 0), ("fire_once", 1), ("fire_all", 10)])
def test_the_misfire_policy_says_what_becomes_of_missed_runs(server: Server, policy: str, runs: int) -> None:
    server.engine.cron.late = 5 * SECOND
    server.entry(overlap_policy="allow", misfire_policy=policy)
    server.wait(10 * MINUTE)
    assert len(server.events("cron.triggered")) == runs
    if policy == "skip":
        assert [event["data"]["reason"] for event in server.events("cron.skipped")] == ["missed"]


def test_a_missing_hour_is_an_event_when_the_clock_jumps_over_it() -> None:
    server = Server(parse_time("2026-03-07T12:00:00Z"))
    server.entry("night", "30 2 * * *", timezone="America/New_York")
    server.wait(DAY)
    assert server.events("cron.triggered") == []
    (event,) = server.events("cron.skipped")
    assert event["time"] == "2026-03-08T07:00:00.000Z"
    assert (event["data"]["reason"], event["data"]["local_time"]) == ("dst_skip", "2026-03-08T02:30:00")
    server.wait(DAY)
    assert [event["time"] for event in server.events("cron.triggered")] == ["2026-03-09T06:30:00.000Z"]


def test_a_repeated_hour_fires_once() -> None:
    server = Server(parse_time("2026-11-01T00:00:00Z"))
    server.entry("night", "30 1 * * *", timezone="America/New_York", overlap_policy="allow")
    server.wait(DAY)
    assert [event["time"] for event in server.events("cron.triggered")] == ["2026-11-01T05:30:00.000Z"]


def test_a_refused_run_is_a_skipped_occurrence_and_the_schedule_goes_on(server: Server) -> None:
    from engine.errors import Rejected  # noqa: PLC0415 - only this test refuses

    def refuse(_job: Any) -> None:
        raise Rejected("not now")

    server.entry()
    server.engine.operations.guards.append(refuse)
    server.wait(MINUTE)
    (event,) = server.events("cron.skipped")
    assert (event["data"]["reason"], event["data"]["error"]["code"]) == ("rejected", "middleware_rejected")
    server.engine.operations.guards.remove(refuse)
    server.wait(MINUTE)
    assert len(server.fetch()) == 1


def test_a_discarded_run_retried_by_hand_overlaps_again(server: Server) -> None:
    server.entry(options={"retry": {"max_attempts": 1}})
    server.wait(MINUTE)
    (job,) = server.fetch()
    server.ok("POST", "/ojs/v1/workers/nack", {"job_id": job["id"], "error": {"message": "no"}})
    server.ok("POST", f"/ojs/v1/jobs/{job['id']}/retry")
    server.wait(MINUTE)
    assert [event["data"]["active_job_id"] for event in server.events("cron.skipped")] == [job["id"]]


def test_reading_changes_nothing(server: Server) -> None:
    server.entry()
    before = pickle.dumps(server.engine.store.records("cron")), server.engine.events.seq
    for path in ("cron", "cron/tick", "cron/tick/next", "cron/tick/history"):
        server.ok("GET", f"/ojs/v1/{path}")
    assert (pickle.dumps(server.engine.store.records("cron")), server.engine.events.seq) == before


def test_records_are_plain_json(server: Server) -> None:
    server.entry()
    server.wait(2 * MINUTE)
    for _, record in server.engine.store.records("cron"):
        assert json.loads(json.dumps(record)) == record
