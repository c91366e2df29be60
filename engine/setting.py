"""A host's choice for one subject, e.g. whether every job must name a tenant.

Subjects come and go with need (`engine.subjects`); their settings stay, in the kernel, and belong to a snapshot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from engine.kernel import Kernel

T = TypeVar("T")


class Subject(Protocol):
    """Anything that works over a kernel."""

    kernel: Kernel


class Setting(Generic[T]):
    """An attribute of a subject that is kept in `Kernel.settings`, under ``Class.attribute``.

    Args:
        default: What holds until a host says otherwise.
    """

    def __init__(self, default: T) -> None:
        self.default = default
        self.key = ""

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.key = f"{owner.__name__}.{name}"

    def __get__(self, subject: Subject, _owner: type[Any]) -> T:
        value: T = subject.kernel.settings.get(self.key, self.default)
        return value

    def __set__(self, subject: Subject, value: T) -> None:
        subject.kernel.settings[self.key] = value
