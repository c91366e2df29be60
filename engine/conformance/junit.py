"""A finished run as JUnit XML, for build servers."""

from __future__ import annotations

import re
from html import escape
from typing import Final

from engine.conformance.report import Report, by
from engine.conformance.result import CaseResult

_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot carry, not even escaped."""


def as_junit(report: Report) -> str:
    """One ``testsuite`` for each folder; failures carry every trouble, all else that did not pass is skipped."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites{_attributes(name='OJS conformance')}>"]
    for suite, counts in by(report.results, "suite").items():
        skipped = counts["total"] - counts["passed"] - counts["failed"]
        name = suite or "cases"
        head = _attributes(
            name=name, tests=counts["total"], failures=counts["failed"], errors=0, skipped=skipped
        )
        lines.append(f"<testsuite{head}>")
        lines += [_case(one, name) for one in report.results if one.case.suite == suite]
        lines.append("</testsuite>")
    if report.malformed:
        number = len(report.malformed)
        head = _attributes(name="malformed files", tests=number, failures=0, errors=number, skipped=0)
        lines.append(f"<testsuite{head}>")
        for error in report.malformed:
            inner = f"<error{_attributes(message=str(error))}/>"
            lines.append(f"<testcase{_attributes(classname='malformed', name=error.file)}>{inner}</testcase>")
        lines.append("</testsuite>")
    return "\n".join([*lines, "</testsuites>"]) + "\n"


def _case(one: CaseResult, suite: str) -> str:
    head = _attributes(classname=suite.replace("/", "."), name=f"{one.case.id} {one.case.name}".strip())
    if one.verdict == "passed":
        return f"<testcase{head}/>"
    if one.verdict == "failed":
        troubles = [
            f"{step.step.id}: {trouble}"
            for step in one.steps
            if step.outcome == "failed"
            for trouble in step.troubles()
        ]
        text = _text("\n".join(troubles))
        return f"<testcase{head}><failure{_attributes(message=one.reason)}>{text}</failure></testcase>"
    return f"<testcase{head}><skipped{_attributes(message=f'{one.verdict}: {one.reason}')}/></testcase>"


def _text(text: str) -> str:
    return escape(_ILLEGAL.sub("\ufffd", text), quote=True)


def _attributes(**values: object) -> str:
    return "".join(f' {name}="{_text(str(value))}"' for name, value in values.items())
