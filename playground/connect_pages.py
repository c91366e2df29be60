"""The page "Connect your SDK": code for each language with this server's address, and which clients have come."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from engine.http.message import Response
from playground.clients import KINDS
from playground.codegen import envelope
from playground.codegen.generate import generate
from playground.codegen.program import Part
from playground.codegen.sdks import languages
from playground.visit import Visit

if TYPE_CHECKING:
    from playground.app import Application

JOB: Final = b'{"type": "email.send", "args": [{"to": "user@example.com", "template": "welcome"}]}'
"""Its arguments are one object, which every SDK can send."""
HALVES: Final[dict[str, Part]] = {"Enqueue": "producer", "Process": "worker"}
_HOST: Final = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")


def page(visit: Visit) -> Response:
    """Snippets in the chosen language, and the clients as they come."""
    known = languages()
    chosen = known.get(visit.asked("language")) or next(iter(known.values()))
    job = envelope.read(JOB, visit.app.session.engine.now())
    address = base_url(visit)
    programs = {label: generate(job, chosen, part, address) for label, part in HALVES.items()}
    return visit.render(
        "pages/connect.html",
        languages=list(known.values()),
        chosen=chosen,
        programs=programs,
        address=address,
        guarded=visit.app.site.guarded,
    )


def base_url(visit: Visit) -> str:
    """Where a client reaches this server: the address by which the page itself was asked for, if it can be told."""
    host = visit.request.headers.get("host", "")
    if visit.app.site.host == "server" and _HOST.fullmatch(host):
        return f"{visit.app.site.base_url.partition('://')[0]}://{host}"
    return visit.app.site.base_url


def clients(app: Application, _: str) -> dict[str, Any]:
    """Which clients have come, the known kinds in order."""
    return {"kinds": KINDS, "seen": app.clients.seen, "now": app.session.engine.now(), "site": app.site}
