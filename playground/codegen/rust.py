"""Rust: plain HTTP by ``std::net``, which knows neither TLS nor JSON, so the worker looks only for the id."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from playground.codegen.literals import json_text, rust_raw
from playground.codegen.program import Job, Part, Program, comment, fill

_TLS: Final = (
    "Rust's standard library has no TLS: for this https server use an HTTP crate, and the same request."
)

_HEAD: Final = r"""use std::io::{Error, Read, Write};
use std::net::TcpStream;

const HOST: &str = @host@;

fn post(path: &str, body: &str) -> Result<String, Error> {
    let mut stream = TcpStream::connect(HOST)?;
    write!(
        stream,
        "POST @base@/ojs/v1{path} HTTP/1.0\r\nHost: {HOST}\r\nContent-Type: application/openjobspec+json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    let (head, answer) = reply.split_once("\r\n\r\n").unwrap_or((&reply, ""));
    match head.split(' ').nth(1) {
        Some(status) if status.starts_with('2') => Ok(answer.to_string()),
        _ => Err(Error::other(answer)),
    }
}
"""

_ENQUEUE: Final = """
const JOB: &str = @job@;

fn enqueue() -> Result<(), Error> {
    println!("{}", post("/jobs", JOB)?);
    Ok(())
}
"""

_WORK: Final = r"""
/// The work. An error that is returned fails the job; the text, JSON, is its result.
fn handle(fetched: &str) -> Result<String, Error> {
    println!("{fetched}");
    Ok(String::from(r#"{"done":true}"#))
}

fn work() -> Result<(), Error> {
    loop {
        let fetched = post("/workers/fetch", @fetch@)?;
        let Some(id) = fetched.split(r#""id":""#).nth(1).and_then(|rest| rest.split('"').next()) else {
            std::thread::sleep(std::time::Duration::from_secs(1));
            continue;
        };
        match handle(&fetched) {
            Ok(result) => post("/workers/ack", &format!(r#"{{"job_id":"{id}","result":{result}}}"#))?,
            Err(error) => {
                let code = format!("{:?}", error.kind());
                let error = format!(r#"{{"code":"{code}","message":"The handler failed."}}"#);
                post("/workers/nack", &format!(r#"{{"job_id":"{id}","error":{error}}}"#))?
            }
        };
    }
}
"""

_MAIN: Final = """
fn main() -> Result<(), Error> {
@calls@}
"""


def generate(job: Job, part: Part) -> Program:
    """The code."""
    address = urlsplit(job.base_url)
    host = f"{address.hostname}:{address.port or (443 if address.scheme == 'https' else 80)}"
    notes = (_TLS,) if address.scheme == "https" else ()
    code = fill(_HEAD, host=f'"{host}"', base=address.path.rstrip("/"))
    if part != "worker":
        code += fill(_ENQUEUE, job=rust_raw(json_text(job.envelope.body)))
    if part != "producer":
        code += fill(_WORK, fetch=rust_raw(f'{{"queues":{json_text([job.envelope.queue])},"count":1}}'))
    calls = ["enqueue"] * (part != "worker") + ["work"] * (part != "producer")
    lines = [f"    {call}()?;\n" for call in calls[:-1]] + [f"    {calls[-1]}()\n"]
    return Program(comment("//", notes) + code + fill(_MAIN, calls="".join(lines)), notes)
