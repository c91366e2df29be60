"""A finished run as an SVG badge (OJS Conformance 7): the level reached, or how much failed."""

from __future__ import annotations

from html import escape
from typing import Final

from engine.conformance.report import Report, totals

_LABEL: Final = "OJS Conformant"
_GREEN, _RED, _GREY = "#2d7d46", "#b3261e", "#5f6368"


def badge_text(report: Report) -> str:
    """What the badge says, e.g. ``Level 4 (Runtime)`` or ``3 of 120 failed``."""
    counts = totals(report.results)
    if not report.conformant:
        return (
            f"{counts['failed'] + len(report.malformed)} of {counts['total'] + len(report.malformed)} failed"
        )
    level = report.conformant_level
    return "not tested" if level is None else f"Level {level} (Runtime)"


def as_badge(report: Report) -> str:
    """The badge as one SVG image, readable without colour and by a screen reader."""
    value = badge_text(report)
    colour = _RED if not report.conformant else _GREY if report.conformant_level is None else _GREEN
    left, right = _width(_LABEL), _width(value)
    title = escape(f"{_LABEL}: {value}")
    font = "font-family='system-ui,Verdana,sans-serif' font-size='11' fill='#fff' text-anchor='middle'"
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{left + right}' height='20' role='img' "
        f"aria-label='{title}'><title>{title}</title>"
        f"<clipPath id='r'><rect width='{left + right}' height='20' rx='3'/></clipPath>"
        f"<g clip-path='url(#r)'><rect width='{left}' height='20' fill='#3c4043'/>"
        f"<rect x='{left}' width='{right}' height='20' fill='{colour}'/></g>"
        f"<g {font}><text x='{left / 2:g}' y='14'>{escape(_LABEL)}</text>"
        f"<text x='{left + right / 2:g}' y='14'>{escape(value)}</text></g></svg>\n"
    )


def _width(text: str) -> int:
    """Pixels that a text takes at 11 px, with its margins."""
    return round(len(text) * 6.6) + 14
