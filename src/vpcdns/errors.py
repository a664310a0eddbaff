"""The one tree of errors; each says what it means at a boundary.

    VpcdnsError
    ├── MalformedMessage     a query that breaks the wire format: FORMERR, or no response at all
    ├── MalformedName        text that is no domain name
    ├── ConfigurationError   a file that cannot be used: exit code 1, or a reload refused
    └── StartupError         the server cannot start, e.g. a port is taken: exit code 1

Decisions are values, not errors: a denial is a `Resolution`, a broken rule a `Refusal`.
"""

from __future__ import annotations


class VpcdnsError(Exception):
    """Anything vpcdns raises on purpose."""


class MalformedMessage(VpcdnsError):
    """Octets that are not a query that may be answered in full."""


class MalformedName(VpcdnsError, ValueError):
    """Text that is not a domain name (RFC 1035 §2.3.4: labels of 1 to 63 octets, 255 in all)."""


class ConfigurationError(VpcdnsError):
    """A configuration that cannot be used; its text lists every problem, one a line."""


class StartupError(VpcdnsError):
    """The server cannot start; its text names the cause and the ways out."""
