"""A POSIX shell with curl. The job stands in a quoted here-document, in which the shell replaces nothing."""

from __future__ import annotations

import shlex
from typing import Final

from playground.codegen.literals import json_text
from playground.codegen.program import Job, Part, Program, fill

_ENQUEUE: Final = """
curl -sS "$URL/ojs/v1/jobs" \\
  -H 'Content-Type: application/openjobspec+json' \\
  --data-binary @- <<'JSON'
@job@
JSON
"""

_WORK: Final = r"""
post() {
  curl -sS "$URL/ojs/v1$1" -H 'Content-Type: application/openjobspec+json' -d "$2"
}

while :; do
  fetched=$(post /workers/fetch @fetch@)
  id=$(printf '%s' "$fetched" | grep -o '"id":"[0-9a-f-]*"' | head -n 1 | cut -d '"' -f 4)
  if [ -z "$id" ]; then
    sleep 1
    continue
  fi
  if printf '%s\n' "$fetched"; then # the work
    post /workers/ack "{\"job_id\":\"$id\",\"result\":{\"done\":true}}"
  else
    post /workers/nack "{\"job_id\":\"$id\",\"error\":{\"code\":\"failed\",\"message\":\"The work failed.\"}}"
  fi
done
"""


def generate(job: Job, part: Part) -> Program:
    """The code."""
    code = f"URL={shlex.quote(job.base_url)}\n"
    if part != "worker":
        code += fill(_ENQUEUE, job=json_text(job.envelope.body))
    if part != "producer":
        code += fill(_WORK, fetch=shlex.quote(f'{{"queues":{json_text([job.envelope.queue])},"count":1}}'))
    return Program(code)
