"""Results as JUnit XML, as CI systems read it: a suite for each scenario, a case for each expectation.

What a step changes for whom is the output of the case of its changes.
"""

from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

from vpcdns.rehearsal.effects import step_text
from vpcdns.rehearsal.run import Result, StepResult
from vpcdns.rehearsal.scenario import BadFile


def junit(results: Sequence[Result | BadFile]) -> str:
    """The document; step by step, the changes of each step being a case of their own."""
    root = ET.Element("testsuites", name="vpcdns rehearse")
    for result in results:
        if isinstance(result, BadFile):
            _add_error(root, result)
            continue
        cases = [case for number, step in enumerate(result.steps, 1) for case in _cases(number, step)]
        failed = sum(bool(failures) for _, _, failures, _ in cases)
        attributes = {"name": result.rehearsal.title, "tests": str(len(cases)), "failures": str(failed)}
        suite = ET.SubElement(root, "testsuite", attributes)
        for classname, name, failures, output in cases:
            case = ET.SubElement(suite, "testcase", classname=_clean(classname), name=_clean(name))
            if failures:
                text = "\n".join(failures)
                ET.SubElement(case, "failure", message=_clean(failures[0])).text = _clean(text)
            if output:
                ET.SubElement(case, "system-out").text = _clean("\n".join(output))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add_error(root: ET.Element, bad: BadFile) -> None:
    attributes = {"name": _clean(str(bad.file)), "tests": "1", "failures": "0", "errors": "1"}
    case = ET.SubElement(ET.SubElement(root, "testsuite", attributes), "testcase", name="the file is read")
    first, *_ = bad.why.splitlines()
    ET.SubElement(case, "error", message=_clean(first)).text = _clean(bad.why)


def _cases(number: int, step: StepResult) -> Iterator[tuple[str, str, tuple[str, ...], tuple[str, ...]]]:
    """The class, the name, the failures and the output of each case."""
    classname = f"{number}. {step.step.title}"
    if step.step.changes:
        yield classname, "; ".join(step.step.changes), step.failures, tuple(step_text(step))
    for check in step.checks:
        yield classname, check.title, check.failures, ()


def _clean(text: str) -> str:
    """XML 1.0 knows no control characters."""
    return "".join(character if character.isprintable() or character == "\n" else "?" for character in text)
