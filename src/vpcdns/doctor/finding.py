"""A finding: what one check saw, how bad that is, and the remedy."""

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Final


class Severity(StrEnum):
    """How bad a finding is; only a problem makes the examination fail."""

    OK = "ok"
    HINT = "hint"  # good to know when something else surprises
    WARNING = "warning"  # works, but not everywhere or not quickly
    PROBLEM = "problem"  # names will not resolve as they do in the cloud


@dataclass(frozen=True, slots=True)
class Finding:
    """One result. `id` names the check and never changes; there is a remedy unless all is well.

    `subject` is the name or the address that it is about, where a check is made for several.
    """

    severity: Severity
    id: str
    seen: str
    remedy: str = ""
    subject: str = ""


ok: Final = partial(Finding, Severity.OK)
hint: Final = partial(Finding, Severity.HINT)
warning: Final = partial(Finding, Severity.WARNING)
problem: Final = partial(Finding, Severity.PROBLEM)
