"""The state's hash of a link with workers, cron, retries and faults in it. Runs in CPython and, as text, in Pyodide."""

from playground.travel.digest import digest
from playground.travel.link import decode
from playground.travel.scenario import Player, ScenarioError


def state(link: str) -> str:
    """The hash where the link's cursor stands, and where all is played; and what a hostile text is answered with."""
    timeline = Player(decode(link)).finish()
    there = digest(timeline.world)
    timeline.go(timeline.floor)
    timeline.go(timeline.end)
    try:
        decode('{"format": ' + "[" * 100_000)
    except ScenarioError as error:
        return f"{there} {digest(timeline.world)} {timeline.end.step} {error.message[:40]}"
    return "a hostile text was read"
