"""`vpcdns doctor`: what keeps this container from vpcdns, each finding with its remedy."""

import textwrap
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.text import Text

from vpcdns.cli.output import Exit, say_json, say_rendered
from vpcdns.cli.parameters import JsonOption, check_name, read_listen
from vpcdns.doctor.finding import Finding, Severity
from vpcdns.forward.host_resolvers import RESOLV_CONF
from vpcdns.model.policy import Listen, Upstream

WIDTH: Final = 80  # columns, where the terminal is not narrower
_STYLES: Final = {
    Severity.OK: "green",
    Severity.HINT: "cyan",
    Severity.WARNING: "bold yellow",
    Severity.PROBLEM: "bold red",
}
_SERVER: Final = "The server to ask; default: the first nameserver of resolv.conf."
_RESOLV_CONF: Final = "The resolv.conf to read, with nsswitch.conf and hosts beside it."
_MARGIN: Final = 10  # the longest severity, and two spaces


def doctor(
    names: Annotated[
        list[str] | None,
        typer.Argument(parser=check_name, metavar="NAME", help="Names to resolve, by DNS and by libc."),
    ] = None,
    server: Annotated[
        Listen | None, typer.Option(parser=read_listen, metavar="ADDR[:PORT]", help=_SERVER)
    ] = None,
    resolv_conf: Annotated[Path, typer.Option(metavar="PATH", help=_RESOLV_CONF)] = RESOLV_CONF,
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

    whom = None if server is None else Upstream(server.address, server.port)
    asked, findings = examine(names or [], whom, resolv_conf)
    healthy = all(finding.severity is not Severity.PROBLEM for finding in findings)
    if json:
        plain = [asdict(finding) for finding in findings]
        say_json({"server": str(asked), "resolv_conf": str(resolv_conf), "ok": healthy, "findings": plain})
    else:
        say_rendered(lambda out: _show(f"{resolv_conf}, asking {asked}", findings, out))
    raise typer.Exit(Exit.OK if healthy else Exit.ERROR)


def _show(heading: str, findings: list[Finding], out: Console) -> None:
    """Wrapped here at 80 columns, piped as well: findings are prose, read side by side."""
    width = min(WIDTH, out.width)
    out.print(Text(heading, "bold"), soft_wrap=True)
    out.print()
    for finding in findings:
        severity = finding.severity
        seen = _wrapped(f"{finding.id}: {finding.seen}", width, f"{severity:<{_MARGIN}}", _MARGIN)
        seen.stylize(_STYLES[severity], 0, _MARGIN)
        out.print(seen, soft_wrap=True)
        if finding.remedy:
            remedy = _wrapped(finding.remedy, width, f"{'':{_MARGIN}}> ", _MARGIN + 2)
            out.print(remedy, style="dim", soft_wrap=True)
    out.print()
    counted = Counter(finding.severity for finding in findings)
    plural = {one: "" if one is Severity.OK or counted[one] == 1 else "s" for one in Severity}
    counts = (f"{counted[one]} {one}{plural[one]}" for one in reversed(Severity))
    out.print(Text(", ".join(counts), "bold"))


def _wrapped(text: str, width: int, first: str, indent: int) -> Text:
    """Never broken within a name: it must be possible to copy it."""
    wrapper = textwrap.TextWrapper(width, first, " " * indent, break_long_words=False, break_on_hyphens=False)
    return Text(wrapper.fill(text))
