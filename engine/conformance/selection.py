"""Which cases of a set are to run: by level, suite and id."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from engine.conformance.case import Case


@dataclass(frozen=True, slots=True)
class Selection:
    """A filter; a part that is empty lets everything through.

    Args:
        level: Highest level, or None; extensions have no level and only run without one.
        suites: Folders: whole paths, any folder of a path, or globs.
        ids: Case ids or globs, upper and lower case alike.
    """

    level: int | None = None
    suites: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()

    def admits(self, case: Case) -> bool:
        """Whether a case is to run."""
        return self._level(case) and self.admits_suite(case.suite) and self._id(case)

    def _level(self, case: Case) -> bool:
        return self.level is None or (isinstance(case.level, int) and case.level <= self.level)

    def admits_suite(self, suite: str) -> bool:
        """Whether the cases of a folder are to run, as far as the folder decides."""
        parts = {suite, *suite.split("/")}
        return not self.suites or any(fnmatchcase(part, wanted) for wanted in self.suites for part in parts)

    def _id(self, case: Case) -> bool:
        return not self.ids or any(fnmatchcase(case.id.lower(), pattern.lower()) for pattern in self.ids)

    def of(self, cases: Iterable[Case]) -> list[Case]:
        """The cases that are to run, in their order."""
        return [case for case in cases if self.admits(case)]
