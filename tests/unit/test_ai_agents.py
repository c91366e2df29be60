"""AI agent jobs (OJS AI Agents) and the operations of the suite ``agent``."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.ojs_client import Client

TOOL = {"name": "search", "description": "d", "parameters": {"type": "object"}}


@pytest.fixture
def client() -> Client:
    return Client()


def agent(client: Client, **fields: Any) -> Any:
    named = {"ext_agent_" + name: value for name, value in fields.items()}
    return client.post("/jobs", {"type": "ai.chat", "args": [], **named})


def test_agent_fields_are_kept_unknown_ones_too(client: Client) -> None:
    fields = {"model": "m", "temperature": 0.7, "tools": [TOOL], "output_format": "json", "new_field": [1]}
    job = agent(client, **fields)["job"]
    assert {name: job["ext_agent_" + name] for name in fields} == fields


def test_counters_belong_to_the_server(client: Client) -> None:
    job = agent(client, token_budget=100, tokens_used=-5, model_used="x", tool_results=[1])["job"]
    assert job["ext_agent_tokens_used"] == 0
    assert not {"ext_agent_model_used", "ext_agent_tool_results"} & set(job)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"voting_threshold": 0}, "voting_threshold"),
        ({"voting_threshold": 1.5}, "voting_threshold"),
        ({"token_budget": 0}, "token_budget"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"output_format": "xml"}, "output_format"),
        ({"retrieval_strategy": "luck"}, "retrieval_strategy"),
        ({"model": 5}, "model"),
        ({"fallback_models": "m"}, "fallback_models"),
        ({"context_window": 9, "max_tokens": 8}, "context_window"),
        ({"tools": {}}, "tools"),
        ({"tools": [{**TOOL, "name": "Search"}]}, "tools[0].name"),
        ({"tools": [TOOL, TOOL]}, "tools[1].name"),
        ({"tools": [{"name": "a", "description": "d"}]}, "tools[0].parameters"),
        ({"tools": [{**TOOL, "parameters": {"type": "text"}}]}, "tools[0].parameters"),
        ({"context_sources": [{"type": "book"}]}, "context_sources[0]"),
        ({"context_sources": [{"type": "api", "name": "n"}]}, "context_sources[0].endpoint"),
        ({"output_schema": {"type": "text"}}, "output_schema"),
        ({"parent_id": "019503e1-7b2a-7000-8000-000000000001"}, "parent_id"),
    ],
)
def test_values_out_of_range_are_refused_with_the_documented_code(
    client: Client, fields: dict[str, Any], field: str
) -> None:
    body = agent(client, **fields)
    assert (client.status, client.code) == (400, "agent_invalid_parameter")
    assert body["error"]["canonical_code"] == "AGENT_INVALID_PARAMETER"
    assert body["error"]["details"]["field"] == "ext_agent_" + field
    assert client.get("/jobs")["jobs"] == []


def test_a_child_inherits_from_its_active_parent(client: Client) -> None:
    parent = agent(client, token_budget=1000, max_delegation_depth=2)["job"]["id"]
    agent(client, parent_id=parent)
    assert client.code == "agent_invalid_parameter"  # the parent is not active yet
    client.fetch()
    child = agent(client, parent_id=parent, delegation_depth=0)["job"]
    inherited = ("delegation_depth", "max_delegation_depth", "token_budget")
    assert [child["ext_agent_" + name] for name in inherited] == [1, 2, 1000]
    client.fetch()
    agent(client, parent_id=child["id"])
    assert (client.status, client.code) == (400, "agent_max_delegation_depth")
    tree = client.get(f"/jobs/{parent}/lineage")
    assert tree["children"] == [{"job_id": child["id"], "children": []}]


def test_the_output_must_fit_its_schema(client: Client) -> None:
    schema = {"type": "object", "required": ["entities"]}
    job_id = agent(client, output_schema=schema)["job"]["id"]
    client.fetch()
    body = client.ack(job_id, result={"other": 1})
    assert (client.status, client.code, body["error"]["retryable"]) == (
        422,
        "agent_output_schema_violation",
        True,
    )
    assert client.job(job_id)["state"] == "active"
    client.ack(job_id, result={"entities": []})
    assert client.status == 200


@pytest.mark.parametrize(
    "code", ["AGENT_TOKEN_BUDGET_EXCEEDED", "AGENT_TOOL_NOT_FOUND", "AGENT_CONSENSUS_FAILED"]
)
def test_failures_that_no_attempt_can_mend_end_the_job(client: Client, code: str) -> None:
    job_id = client.start(options={"retry": {"max_attempts": 5}})
    assert client.fail(job_id, code)["state"] == "discarded"


def test_retryable_agent_failures_are_retried(client: Client) -> None:
    assert client.fail(client.start(), "AGENT_MODEL_UNAVAILABLE")["state"] == "retryable"


# the suite's operations


def make(client: Client, **policy: Any) -> str:
    return client.push("agent.test", ["x"], ext_agent_v2={"state": "running", **policy})


def test_an_agent_waits_for_a_human_and_goes_on(client: Client) -> None:
    job_id = make(client)
    assert client.post(f"/agents/{job_id}/pause", {"reason": "review"})["state"] == "paused"
    client.post(f"/agents/{job_id}/pause", {"reason": "again"})
    assert (client.status, client.code) == (409, "conflict")
    resumed = client.post(f"/agents/{job_id}/resume", {"approved": True, "comment": "fine"})
    assert (resumed["state"], resumed["decision"]) == ("running", {"approved": True, "comment": "fine"})
    assert client.get(f"/agents/{job_id}")["state"] == "running"


def test_without_approval_an_agent_stops(client: Client) -> None:
    job_id = make(client)
    client.post(f"/agents/{job_id}/pause")
    assert client.post(f"/agents/{job_id}/resume", {"approved": False})["state"] == "stopped"


def test_only_jobs_of_agents_that_have_not_ended_take_part(client: Client) -> None:
    client.post(f"/agents/{client.push()}/pause")
    assert client.status == 404
    job_id = make(client)
    client.delete(f"/jobs/{job_id}")
    client.post(f"/agents/{job_id}/pause")
    assert client.status == 409


def test_branches_from_the_same_start_have_the_same_content(client: Client) -> None:
    job_id = make(client)
    one = client.post(f"/agents/{job_id}/fork", {"at_turn": 0, "branch_name": "a"})
    other = client.post(f"/agents/{job_id}/fork", {"at_turn": 0, "branch_name": "b"})
    assert one["content_id"] == other["content_id"]
    assert one["branch_id"] != other["branch_id"]
    client.post(f"/agents/{job_id}/fork", {"at_turn": 0, "branch_name": "a"})
    assert client.status == 409
    merged = client.post(
        f"/agents/{job_id}/merge",
        {"branch_a": one["branch_id"], "branch_b": other["branch_id"], "strategy": "ours"},
    )
    assert (client.status, merged["conflicts"]) == (200, [])
    assert merged["merged_id"]


def test_branches_from_different_turns_conflict(client: Client) -> None:
    job_id = make(client)
    ids = [
        client.post(f"/agents/{job_id}/fork", {"at_turn": turn, "branch_name": str(turn)})["branch_id"]
        for turn in (0, 1)
    ]
    merged = client.post(f"/agents/{job_id}/merge", {"branch_a": ids[0], "branch_b": ids[1]})
    assert [one["field"] for one in merged["conflicts"]] == ["at_turn", "content_id"]
    client.post(f"/agents/{job_id}/merge", {"branch_a": ids[0], "branch_b": "none"})
    assert client.status == 404
    client.post(f"/agents/{job_id}/merge", {"branch_a": ids[0], "branch_b": ids[0]})
    assert client.status == 400


def test_a_tool_is_retried_elsewhere_as_often_as_its_policy_says(client: Client) -> None:
    job_id = make(client, tool_retry={"max_attempts": 2, "alternate_provider": "other"})
    request = {"tool_call_id": "tc", "error": "timeout", "use_alternate": True}
    answers = [client.post(f"/agents/{job_id}/tool-retry", request) for _ in range(3)]
    assert [(one["retried"], one["provider"]) for one in answers] == [
        (True, "other"),
        (True, "other"),
        (False, "other"),
    ]
    client.post(f"/agents/{job_id}/tool-retry", {})
    assert client.status == 400


def test_an_undeclared_tool_is_refused(client: Client) -> None:
    job_id = agent(client, tools=[TOOL])["job"]["id"]
    client.post(f"/agents/{job_id}/tool-retry", {"tool_call_id": "t", "tool": "shell"})
    assert (client.status, client.code) == (400, "agent_tool_not_found")
