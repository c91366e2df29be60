"""A digest of every case's result: exchanges, times, states, events. Runs in CPython and, as text, in Pyodide."""

import hashlib
import json

from engine.conformance.case import read_all
from engine.conformance.runner import run
from engine.conformance.target import fresh_engine
from playground.case_files import bundled


def digest() -> str:
    """SHA-256 over all results, with how many cases there were."""
    files = bundled()
    cases = read_all(files)[0]
    whole = hashlib.sha256()
    for result in run(cases, fresh_engine):
        whole.update(json.dumps(result.to_dict(), sort_keys=True, default=str).encode())
    return f"{len(cases)} {whole.hexdigest()}"
