"""The Flask host over a real socket."""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import threading
import time
from html import unescape
from pathlib import Path
from typing import Any

import flask
import pytest

from playground.hosts import tab_site
from playground.hosts.tab_site import TabSite
from tests.conftest import Server

FRONT_PAGE = '{"type":"email.send","args":["user@example.com","welcome"]}'


def ask(
    server: Server, method: str, path: str, body: bytes | str | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """One request; header names are given with underscores."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, content


def test_the_front_pages_command_works_verbatim(server: Server) -> None:
    command = (
        f"curl -X POST http://localhost:{server.port}/v1/jobs"
        f" -H \"Content-Type: application/json\" -d '{FRONT_PAGE}'"
    )
    answer = json.loads(subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=True).stdout)
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", answer["id"])
    assert answer["state"] == "available"


def test_an_open_page_hears_of_a_job_within_a_quarter_of_a_second(server: Server) -> None:
    """The median of five, so that one pause of a shared machine decides nothing."""
    waits = []
    for number in range(5):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", "/ui/stream?view=log")
        response = connection.getresponse()
        heard = threading.Event()

        def listen(
            stream: http.client.HTTPResponse = response, done: threading.Event = heard, mark: int = number
        ) -> None:
            while line := stream.readline():
                if f"quick.q{mark}".encode() in line or f"quick-q{mark}".encode() in line:
                    done.set()
                    return

        threading.Thread(target=listen, daemon=True).start()
        time.sleep(0.3)
        body = json.dumps({"type": f"quick.q{number}", "args": [], "queue": f"quick-q{number}"})
        start = time.perf_counter()
        ask(server, "POST", "/v1/jobs", body, content_type="application/json")
        assert heard.wait(5)
        waits.append(time.perf_counter() - start)
        connection.close()
    assert sorted(waits)[2] < 0.25


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "code"),
    [
        ("POST", "/ojs/v1/jobs", "{", {}, 400, "invalid_payload"),
        ("POST", "/ojs/v1/jobs", "", {}, 400, "invalid_payload"),
        ("POST", "/ojs/v1/jobs", '{"args":[]}', {}, 400, "invalid_request"),
        ("POST", "/ojs/v1/jobs", '{"type":"a","args":5}', {}, 400, "invalid_request"),
        ("POST", "/ojs/v1/jobs", FRONT_PAGE, {"content_type": "text/plain"}, 400, "invalid_request"),
        ("POST", "/ojs/v1/jobs", "x" * 1_048_577, {}, 413, "payload_too_large"),
        ("GET", "/ojs/v1/jobs?state=flying", None, {}, 400, "invalid_request"),
        ("GET", "/ojs/v1/jobs/01900000-0000-7000-8000-000000000000", None, {}, 404, "not_found"),
        ("DELETE", "/ojs/v1/jobs/01900000-0000-7000-8000-000000000000", None, {}, 404, "not_found"),
        ("GET", "/ojs/v1/nowhere", None, {}, 404, "not_found"),
        ("PUT", "/ojs/v1/health", None, {}, 405, "method_not_allowed"),
        ("GET", "/ojs/v1/health", None, {"ojs_version": "9.0"}, 422, "unsupported"),
        ("GET", "/ojs/v1/health", None, {"host": "evil.example"}, 403, "forbidden"),
        ("POST", "/ojs/v1/jobs", FRONT_PAGE, {"origin": "http://evil.example"}, 403, "forbidden"),
    ],
)
def test_a_refusal_is_json_with_its_code(
    server: Server, method: str, path: str, body: str | None, headers: dict[str, str], status: int, code: str
) -> None:
    sent = {"content_type": "application/json"} if body is not None else {}
    got, answered, content = ask(server, method, path, body, **{**sent, **headers})
    assert got == status
    assert answered["content-type"] == "application/openjobspec+json"
    assert json.loads(content)["error"]["code"] == code


def test_every_answer_has_the_security_headers(server: Server) -> None:
    page = ask(server, "GET", "/")[2].decode()
    style = re.search(r'href="(/static/style\.[0-9a-f]+\.css)"', page)
    assert style
    for path in ("/", "/ojs/v1/health", "/nowhere", style[1]):
        headers = ask(server, "GET", path)[1]
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff"
    assert "immutable" in ask(server, "GET", style[1])[1]["cache-control"]


def test_the_sandbox_has_a_policy_of_its_own_and_python_is_served(server: Server) -> None:
    """What the Handlers pane needs: a document without an origin, and Pyodide's files as npm brings them."""
    page = unescape(ask(server, "GET", "/play?do=handlers")[2].decode())
    facts = json.loads(re.search(r'data-runner="({.*?})"', page)[1])  # type: ignore[index]
    headers = ask(server, "GET", facts["sandbox"])[1]
    assert headers["content-security-policy"].startswith("sandbox allow-scripts; default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"
    for name in ("worker", "runner", "stdlib"):
        assert ask(server, "GET", facts[name])[0] == 200, name
    status, headers, _ = ask(server, "GET", f"{facts['pyodide']}pyodide.asm.wasm")
    assert (status, headers["content-type"]) == (200, "application/wasm")
    for name in ("package.json", "..%2fpackage.json", "pyodide-lock.json"):
        assert ask(server, "GET", facts["pyodide"] + name)[0] == 404


def test_other_sites_may_frame_the_widgets_page_and_load_its_script_and_nothing_else(server: Server) -> None:
    def headers(path: str) -> dict[str, str]:
        return dict(ask(server, "GET", path)[1])

    for path in ("/embed/frame", "/embed/frame/"):
        assert "frame-ancestors *" in headers(path)["content-security-policy"]
    for path in ("/", "/embed", "/embed/", "/play", "/embed.js"):
        assert "frame-ancestors 'none'" in headers(path)["content-security-policy"]
    script = headers("/embed.js")
    assert script["content-type"].startswith("text/javascript")
    assert (script["cross-origin-resource-policy"], script["access-control-allow-origin"]) == (
        "cross-origin",
        "*",
    )
    assert "access-control-allow-origin" not in headers("/embed/frame")


@pytest.mark.parametrize(
    "path",
    [
        "/static/../pyproject.toml",
        "/static/%2e%2e/pyproject.toml",
        "/static/style.css",
        "/static//etc/passwd",
    ],
)
def test_only_static_files_are_served_as_such(server: Server, path: str) -> None:
    status, _, content = ask(server, "GET", path)
    assert status == 404
    assert b"build-system" not in content


@pytest.mark.parametrize(
    ("path", "kind"), [("/health", "json"), ("/ready", "json"), ("/metrics", "text/plain")]
)
def test_what_monitors_ask_for_answers_without_the_base_path_too(
    server: Server, path: str, kind: str
) -> None:
    status, headers, _ = ask(server, "GET", path)
    assert status == 200
    assert kind in headers["content-type"]


def test_head_answers_without_a_body(server: Server) -> None:
    status, headers, content = ask(server, "HEAD", "/")
    assert status == 200
    assert content == b""
    assert int(headers["content-length"]) > 1000


def test_events_stream_over_http(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 10) as line:
        line.sendall(b"GET /ojs/v1/events/stream?queue=streamed HTTP/1.1\r\nHost: localhost\r\n\r\n")
        body = json.dumps({"type": "a.b", "args": [], "queue": "streamed"})
        time.sleep(0.2)
        ask(server, "POST", "/ojs/v1/jobs", body, content_type="application/json")
        got = b""
        while b"job.enqueued" not in got:
            chunk = line.recv(4096)
            assert chunk
            got += chunk
    assert b"text/event-stream" in got


def test_readers_that_go_are_forgotten(server: Server) -> None:
    """Many pages opened and left do not use the server up."""
    lines = []
    for _ in range(40):
        line = socket.create_connection(("127.0.0.1", server.port), 10)
        line.sendall(b"GET /ui/stream?view=board HTTP/1.1\r\nHost: localhost\r\n\r\n")
        lines.append(line)
    for line in lines:
        assert line.recv(20)
        line.close()
    assert ask(server, "GET", "/ojs/v1/health")[0] == 200


def test_concurrent_requests_are_all_answered(server: Server) -> None:
    answers: list[Any] = []
    body = json.dumps({"type": "a.b", "args": [], "queue": "crowd"})

    def push() -> None:
        answers.extend(
            json.loads(ask(server, "POST", "/ojs/v1/jobs", body, content_type="application/json")[2])["id"]
            for _ in range(10)
        )

    threads = [threading.Thread(target=push) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 80


def test_many_readers_starve_no_request(server: Server) -> None:
    """Each stream brings a thread of its own, far beyond those that requests have."""
    lines = []
    for _ in range(150):
        line = socket.create_connection(("127.0.0.1", server.port), 10)
        line.sendall(b"GET /ojs/v1/events/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        lines.append(line)
    for line in lines:
        assert line.recv(20)
    figures = ask(server, "GET", "/metrics")[2].decode()
    assert int(float(re.search(r"^ojs_http_streams (\S+)", figures, re.MULTILINE)[1])) >= 150  # type: ignore[index]
    body = json.dumps({"type": "a.b", "args": [], "queue": "many-readers"})
    assert ask(server, "POST", "/ojs/v1/jobs", body, content_type="application/json")[0] == 201
    for line in lines:
        line.close()


@pytest.mark.parametrize(
    "sent", [b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", b"nonsense\r\n\r\n"]
)
def test_what_is_no_http_is_refused_in_json_too(server: Server, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 10) as line:
        line.sendall(sent)
        response = http.client.HTTPResponse(line)
        response.begin()
        assert response.status == 400
        assert json.loads(response.read())["error"]["code"] == "invalid_request"


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_tells_every_reader_and_stops_the_server_cleanly(name: str) -> None:
    import signal  # noqa: PLC0415 - only here

    server = Server(*(["--debug"] if name == "SIGINT" else []))
    with socket.create_connection(("127.0.0.1", server.port), 10) as line:
        line.sendall(b"GET /ojs/v1/events/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        got = line.recv(4096)
        server.process.send_signal(getattr(signal, name))
        while chunk := line.recv(4096):
            got += chunk
    assert b"event: server.shutdown" in got
    assert server.process.wait(10) == 0


def test_a_run_goes_on_by_itself_on_a_server_that_nobody_looks_at() -> None:
    server = Server()
    ask(
        server,
        "POST",
        "/ui/conformance/run",
        "",
        content_type="application/x-www-form-urlencoded",
        hx_request="true",
    )
    for _ in range(200):
        text = ask(server, "GET", "/ui/conformance/report/text")[2].decode()
        if re.search(r"\b195 passed|\b19\d cases .* 19\d passed", text):
            break
        time.sleep(0.05)
    server.stop()
    assert "failed" not in text.splitlines()[-1]
    assert " passed" in text.splitlines()[-1]
    assert int(re.search(r"(\d+) cases", text)[1]) > 150  # type: ignore[index]


def test_a_large_job_in_the_form_is_read_whole(server: Server) -> None:
    from urllib.parse import urlencode  # noqa: PLC0415 - beside its one use

    body = json.dumps({"type": "a.b", "args": ['"' * 400_000], "queue": "large"})
    form = urlencode({"body": body})
    assert len(form) > 1_048_576 > len(body)
    headers = {"content_type": "application/x-www-form-urlencoded", "hx_request": "true"}
    status, _, content = ask(server, "POST", "/ui/jobs", form, **headers)
    assert status == 200, content[:300]


def test_the_browsers_build_is_found_below_its_base_and_nothing_else(tmp_path: Path) -> None:
    site = TabSite(tmp_path)
    folder = tmp_path / "site"
    (folder / "spec").mkdir(parents=True)
    for name in ("index.html", "404.html", "spec/index.html"):
        (folder / name).write_text(name)
    (tmp_path / "secret").write_text("x")
    assert site.find(folder, "") == (200, folder / "index.html")
    assert site.find(folder, "spec/") == (200, folder / "spec" / "index.html")
    assert site.find(folder, "play/jobs/1") == (200, folder / "404.html")
    assert site.find(folder, "../secret") == (404, folder / "404.html")


def test_a_browsers_build_that_fails_says_why_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    site = TabSite(tmp_path / "file")
    host = flask.Flask(__name__)
    tab_site.add(host, site, "/static/style.css")
    client = host.test_client()
    assert b"is being built" in client.get("/tab/").data
    deadline = time.monotonic() + 10
    while not site.wrong and time.monotonic() < deadline:
        time.sleep(0.01)
    answer = client.get("/tab/")
    assert answer.status_code == 503
    assert b"could not be built" in answer.data
    assert b"The build failed: " in answer.data
    monkeypatch.setattr(site, "_cache", tmp_path)
    built = tmp_path / tab_site.sources()
    built.mkdir()
    (built / "404.html").write_text("shell")
    assert client.get("/tab/nowhere?again=1").data == b"shell"
