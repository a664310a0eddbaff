"""`vpcdns doctor`: what keeps this container from vpcdns, each finding with its remedy."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.text import Text

from vpcdns.cli.exits import Exit
from vpcdns.cli.output import say_json, say_rendered
from vpcdns.cli.parameters import JsonOption, read_listen, read_name
from vpcdns.doctor.finding import Severity
from vpcdns.doctor.host import RESOLV_CONF
from vpcdns.model.policy import Listen, Upstream

if TYPE_CHECKING:
    from vpcdns.doctor.examination import Examination

WIDTH: Final = 80  # columns, where the terminal is not narrower
_STYLES: Final = {
    Severity.OK: "green",
    Severity.HINT: "cyan",
    Severity.WARNING: "bold yellow",
    Severity.PROBLEM: "bold red",
}
_MARGIN: Final = 10  # the longest severity, and two spaces
ResolvConfOption = Annotated[
    Path,
    typer.Option(metavar="PATH", help="The resolv.conf to read, with nsswitch.conf and hosts beside it."),
]


def doctor(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Names to resolve, by DNS and by libc.", show_default=False),
    ] = None,
    server: Annotated[
        Listen | None,
        typer.Option(
            parser=read_listen,
            metavar="ADDR[:PORT]",
            help="The server to ask; default: the first nameserver of resolv.conf.",
            show_default=False,
        ),
    ] = None,
    resolv_conf: ResolvConfOption = RESOLV_CONF,
    json: JsonOption = False,
) -> None:
    """Examine a container from inside: does it ask vpcdns, and as whom?

    Reads resolv.conf, nsswitch.conf and hosts, asks the nameserver over UDP
    and TCP, and compares its answers with libc's. Needs no root and changes
    nothing. Problems make the exit code 1; hints and warnings do not.

    \b
    Examples:
      vpcdns doctor
      vpcdns doctor api.example.com
      vpcdns doctor --server 127.0.0.1:5300 --json
      docker run --rm --network container:web vpcdns doctor api.example.com
    """
    from vpcdns.doctor.examination import examine  # noqa: PLC0415 - see vpcdns.stub: slow to import

    asked = [name for name in names or [] if read_name(name, "NAME")]
    whom = None if server is None else Upstream(server.address, server.port)
    examination = examine(asked, whom, resolv_conf)
    if json:
        say_json(as_json(examination))
    else:
        say_rendered(lambda out: _show(examination, out))
    raise typer.Exit(Exit.OK if examination.healthy else Exit.ERROR)


def as_json(examination: Examination) -> dict[str, Any]:
    """The findings as plain data; `subject` and `remedy` are empty where there is none."""
    findings = [asdict(finding) | {"severity": finding.severity.value} for finding in examination.findings]
    return {
        "server": str(examination.server),
        "resolv_conf": str(examination.resolv_conf),
        "ok": examination.healthy,
        "findings": findings,
    }


def _show(examination: Examination, out: Console) -> None:
    """Wrapped here at 80 columns, piped as well: findings are prose, read side by side."""
    width = min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns) if sys.stdout.isatty() else WIDTH
    out.print(Text(f"{examination.resolv_conf}, asking {examination.server}", "bold"), soft_wrap=True)
    out.print()
    for finding in examination.findings:
        severity = finding.severity
        seen = _wrapped(f"{finding.id}: {finding.seen}", width, f"{severity.value:<{_MARGIN}}", _MARGIN)
        seen.stylize(_STYLES[severity], 0, _MARGIN)
        out.print(seen, soft_wrap=True)
        if finding.remedy:
            remedy = _wrapped(finding.remedy, width, f"{'':{_MARGIN}}> ", _MARGIN + 2)
            out.print(remedy, style="dim", soft_wrap=True)
    counts = Counter(finding.severity for finding in examination.findings)
    words = {
        one: one.value if one is Severity.OK or counts[one] == 1 else f"{one.value}s" for one in Severity
    }
    out.print()
    out.print(Text(", ".join(f"{counts[one]} {words[one]}" for one in reversed(Severity)), "bold"))


def _wrapped(text: str, width: int, first: str, indent: int) -> Text:
    """Never broken within a name: it must be possible to copy it."""
    wrapper = textwrap.TextWrapper(width, first, " " * indent, break_long_words=False, break_on_hyphens=False)
    return Text(wrapper.fill(text))
