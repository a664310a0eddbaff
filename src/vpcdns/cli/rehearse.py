"""`vpcdns rehearse`: runs scenario files, and says what did not go as expected, and whom else it affects."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

import typer

from vpcdns.cli.output import Exit, complain, overwrite, say, say_json
from vpcdns.cli.parameters import JsonOption
from vpcdns.errors import ConfigurationError
from vpcdns.lab.live import run_live
from vpcdns.rehearsal.effects import step_text
from vpcdns.rehearsal.junit import junit
from vpcdns.rehearsal.report import report
from vpcdns.rehearsal.result_data import results_data
from vpcdns.rehearsal.run import Result, run
from vpcdns.rehearsal.scenario import BadFile, Rehearsal, read_scenario, scenarios_in

PASSED_OVER: Final = 3  # files that the summary names
HELP: Final = """Rehearse changes: run scenarios, and check who resolves and reaches what.

Below each step that changes something stands its plan: who loses a name
and who gains one, first those of whom no expectation of the step says
anything. That alone is no failure.

\b
Exit codes:
  0  everything was as expected
  1  an error, e.g. in a scenario file; the others are run nevertheless
  2  the command line is wrong
  3  something was not as expected

\b
Examples:
  vpcdns rehearse --html report.html examples/rehearsals/rebind.yaml
  vpcdns rehearse --junit junit.xml examples/rehearsals
"""


def rehearse_command(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE|DIR", help="Scenario files; of a folder, all scenarios in it."),
    ],
    junit_file: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write the results as JUnit XML.")
    ] = None,
    html_file: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a report with drawings, as one file.")
    ] = None,
    live: Annotated[
        bool, typer.Option(help="Run it in network namespaces too, and compare; needs root and vpcdns[lab].")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Name every file of a folder that is no scenario.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """`HELP` says what it does."""
    scenarios, others = _found(files)
    results = [_result(file, live=live, silent=json) for file in scenarios]
    if json:
        say_json(results_data(results) | {"passed_over": list(map(str, others))})
    elif len(results) != 1 or others:
        say(_summary(results, others, verbose=verbose))
    if junit_file is not None:
        _write(junit_file, junit(results))
    if html_file is not None:
        _write(html_file, report(results))
    if not results or any(isinstance(one, BadFile) for one in results):
        raise typer.Exit(Exit.ERROR)
    raise typer.Exit(Exit.OK if all(_passed(one) for one in results) else Exit.FOUND)


def _found(named: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """The scenario files, each once; and what is none in the folders."""
    scenarios: dict[Path, None] = {}
    others: dict[Path, None] = {}
    for path in named:
        mine, rest = scenarios_in(path) if path.is_dir() else ([path], [])
        if not mine:
            complain(
                f"{path}: there is no scenario in it: a YAML or JSON file with `configuration` and `steps`"
            )
        scenarios |= dict.fromkeys(mine)
        others |= dict.fromkeys(rest)
    return list(scenarios), list(others)


def _result(file: Path, *, live: bool, silent: bool) -> Result | BadFile:
    try:
        rehearsal = read_scenario(file)
    except ConfigurationError as error:
        complain(str(error))
        return BadFile(file, str(error))
    result = _run(rehearsal, live=live)
    if not silent:
        _show(result)
    return result


def _run(rehearsal: Rehearsal, *, live: bool) -> Result:
    steps, total = [], len(rehearsal.scenario.steps)
    for number, step in enumerate(run_live(rehearsal) if live else run(rehearsal), 1):
        overwrite(f"[{number}/{total}] {step.step.title}")
        steps.append(step)
    overwrite()
    return Result(rehearsal, tuple(steps))


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
        for line in step_text(step):
            say(f"        | {line}")


def _passed(result: Result | BadFile) -> bool:
    return isinstance(result, Result) and result.passed


def _summary(results: list[Result | BadFile], others: list[Path], *, verbose: bool) -> str:
    """`9 scenarios: 8 as expected, 1 not as expected; passed over, as they are none: hybrid.yaml`."""
    counts = {
        "as expected": sum(map(_passed, results)),
        "not as expected": sum(isinstance(one, Result) and not one.passed for one in results),
        "with errors": sum(isinstance(one, BadFile) for one in results),
    }
    said = ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "none"
    text = f"{len(results)} scenario{'' if len(results) == 1 else 's'}: {said}"
    if not others:
        return text
    named = others if verbose else others[:PASSED_OVER]
    more = "" if len(named) == len(others) else f" and {len(others) - len(named)} more (-v names them)"
    return f"{text}; passed over, being no scenario: {', '.join(map(str, named))}{more}"


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        complain(f"{file}: it cannot be written: {error.strerror}")
        raise typer.Exit(Exit.ERROR) from None
