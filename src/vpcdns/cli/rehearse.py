"""`vpcdns rehearse`: runs scenario files, and says what did not go as expected."""

from pathlib import Path
from typing import Annotated

import typer

from vpcdns.cli.output import Exit, complain, overwrite, say
from vpcdns.lab.live import run_live
from vpcdns.rehearsal.junit import junit
from vpcdns.rehearsal.report import report
from vpcdns.rehearsal.run import Result, run
from vpcdns.rehearsal.scenario import Rehearsal, read_scenario


def rehearse_command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Scenario files.")],
    junit_file: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write the results as JUnit XML.")
    ] = None,
    html_file: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a report with drawings, as one file.")
    ] = None,
    live: Annotated[
        bool, typer.Option(help="Run it in network namespaces too, and compare; needs root and vpcdns[lab].")
    ] = False,
) -> None:
    """Rehearse changes: run scenarios, and check who resolves and reaches what.

    \b
    Exit codes:
      0  everything was as expected
      1  an error, e.g. in a scenario file
      2  something was not as expected

    \b
    Example:
      vpcdns rehearse --html report.html examples/rehearsals/rebind.yaml
    """
    results = [_run(rehearsal, live) for rehearsal in [read_scenario(file) for file in files]]
    if junit_file is not None:
        _write(junit_file, junit(results))
    if html_file is not None:
        _write(html_file, report(results))
    raise typer.Exit(Exit.OK if all(result.passed for result in results) else Exit.FOUND)


def _run(rehearsal: Rehearsal, live: bool) -> Result:
    steps, total = [], len(rehearsal.scenario.steps)
    for number, step in enumerate(run_live(rehearsal) if live else run(rehearsal), 1):
        overwrite(f"[{number}/{total}] {step.step.title}")
        steps.append(step)
    overwrite()
    result = Result(rehearsal, tuple(steps))
    _show(result)
    return result


def _show(result: Result) -> None:
    say(f"{result.rehearsal.title}  ({result.rehearsal.file})")
    for number, step in enumerate(result.steps, 1):
        good = sum(not check.failures for check in step.checks)
        counted = f" ({good} of {len(step.checks)} as expected)" if step.checks else ""
        say(f"  {'ok  ' if step.passed else 'FAIL'}  {number}. {step.step.title}{counted}")
        for failure in step.failures:
            say(f"          {failure}")
        for check in step.checks:
            for failure in check.failures:
                say(f"          {check.title}: {failure}")


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        complain(f"{file}: it cannot be written: {error.strerror}")
        raise typer.Exit(Exit.ERROR) from None
