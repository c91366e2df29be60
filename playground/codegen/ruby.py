"""Ruby: plain HTTP by ``net/http``."""

from __future__ import annotations

from typing import Final

from playground.codegen.literals import json_text
from playground.codegen.program import Job, Part, Program, fill, name_of

_HEAD: Final = """\
require "json"
require "net/http"

URL = @url@

def post(path, body)
  headers = { "Content-Type" => "application/openjobspec+json" }
  response = Net::HTTP.post(URI(URL + "/ojs/v1" + path), body, headers)
  raise response.body unless response.is_a?(Net::HTTPSuccess)

  JSON.parse(response.body)
end
"""

_WORK: Final = """
# The work. What is raised here fails the job; what is returned is its result.
def handle_@name@(job)
  puts "#{job["type"]}, attempt #{job["attempt"]}: #{job["args"]}"
  { done: true }
end

def work
  loop do
    job = post("/workers/fetch", JSON.generate(queues: [@queue@], count: 1))["jobs"].first
    if job.nil?
      sleep 1
      next
    end
    begin
      result = handle_@name@(job)
    rescue StandardError => error
      failure = { code: error.class.name, message: error.message }
      post("/workers/nack", JSON.generate(job_id: job["id"], error: failure))
    else
      post("/workers/ack", JSON.generate(job_id: job["id"], result: result))
    end
  end
end
"""


def text(value: str) -> str:
    """Text as a Ruby string in which nothing is replaced."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def generate(job: Job, part: Part) -> Program:
    """The code."""
    code = fill(_HEAD, url=text(job.base_url))
    if part != "producer":
        code += fill(_WORK, name=name_of(job.envelope.type), queue=text(job.envelope.queue))
    if part != "worker":
        lines = json_text(job.envelope.body).split("\n")
        code += "\nJOB = <<~'JSON'\n" + "".join(f"  {line}\n" for line in lines) + "JSON\n"
        code += '\nputs post("/jobs", JOB)\n'
    if part != "producer":
        code += "\nwork\n"
    return Program(code)
