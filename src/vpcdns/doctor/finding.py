"""A finding: what one check saw, how bad that is, and the remedy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How bad a finding is; only a problem makes the examination fail."""

    OK = "ok"
    HINT = "hint"  # good to know when something else surprises
    WARNING = "warning"  # works, but not everywhere or not quickly
    PROBLEM = "problem"  # names will not resolve as the cloud would have them


@dataclass(frozen=True, slots=True)
class Finding:
    """One result. `id` names the check and never changes; a remedy is there unless all is well.

    `subject` is the name or the address that it is about, where a check is made for several.
    """

    id: str
    severity: Severity
    seen: str
    remedy: str = ""
    subject: str = ""


def ok(id: str, seen: str, subject: str = "") -> Finding:  # noqa: A002 - the field's name
    return Finding(id, Severity.OK, seen, subject=subject)


def hint(id: str, seen: str, remedy: str, subject: str = "") -> Finding:  # noqa: A002
    return Finding(id, Severity.HINT, seen, remedy, subject)


def warning(id: str, seen: str, remedy: str, subject: str = "") -> Finding:  # noqa: A002
    return Finding(id, Severity.WARNING, seen, remedy, subject)


def problem(id: str, seen: str, remedy: str, subject: str = "") -> Finding:  # noqa: A002
    return Finding(id, Severity.PROBLEM, seen, remedy, subject)
