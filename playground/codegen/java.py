"""Java 17: plain HTTP by ``java.net.http``; its standard library reads no JSON, so the worker looks only for the id."""

from __future__ import annotations

from typing import Final

from playground.codegen.literals import ascii_json, java_block
from playground.codegen.program import Job, Part, Program, comment, fill

LONGEST: Final = 65_535
"""Most bytes of a constant in a class file."""
_LONG: Final = "This job is longer than Java lets a constant be (65,535 bytes): read it from a file."

_HEAD: Final = """\
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
@more@
class @name@ {
    static final String URL = @url@;
    static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    static String post(String path, String body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(URL + "/ojs/v1" + path))
            .header("Content-Type", "application/openjobspec+json")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
        HttpResponse<String> response = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() >= 300) {
            throw new IllegalStateException(response.body());
        }
        return response.body();
    }
"""

_ENQUEUE: Final = """
    static final String JOB = @job@;

    static void enqueue() throws Exception {
        System.out.println(post("/jobs", JOB));
    }
"""

_WORK: Final = r"""
    static final Pattern ID = Pattern.compile("\"id\":\"([0-9a-f-]{36})\"");

    /** The work. What is thrown here fails the job; what is returned, as JSON, is its result. */
    static String handle(String fetched) throws Exception {
        System.out.println(fetched);
        return "{\"done\":true}";
    }

    static void work() throws Exception {
        while (true) {
            String fetched = post("/workers/fetch", @fetch@);
            Matcher id = ID.matcher(fetched);
            if (!id.find()) {
                Thread.sleep(1000);
                continue;
            }
            String job = "{\"job_id\":\"" + id.group(1) + "\",";
            try {
                String result = handle(fetched);
                post("/workers/ack", job + "\"result\":" + result + "}");
            } catch (Exception error) {
                String code = error.getClass().getSimpleName();
                String failure = "{\"code\":\"" + code + "\",\"message\":\"The handler failed.\"}";
                post("/workers/nack", job + "\"error\":" + failure + "}");
            }
        }
    }
"""

_MAIN: Final = """
    public static void main(String[] arguments) throws Exception {
@calls@    }
}
"""


def text(value: str) -> str:
    """ASCII text as a Java string."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def generate(job: Job, part: Part) -> Program:
    """The code."""
    name = {"producer": "Producer", "worker": "JobWorker", "program": "Program"}[part]
    more = "" if part == "producer" else "import java.util.regex.Matcher;\nimport java.util.regex.Pattern;\n"
    body = ascii_json(job.envelope.body)
    notes = (_LONG,) if part != "worker" and len(body) > LONGEST else ()
    code = fill(_HEAD, more=more, name=name, url=text(job.base_url))
    if part != "worker":
        code += fill(_ENQUEUE, job=java_block(body, " " * 8))
    if part != "producer":
        queues = ascii_json([job.envelope.queue])
        code += fill(_WORK, fetch=text(f'{{"queues":{queues},"count":1}}'))
    calls = ["enqueue"] * (part != "worker") + ["work"] * (part != "producer")
    code += fill(_MAIN, calls="".join(f"        {call}();\n" for call in calls))
    return Program(comment("//", notes) + code, notes)
