"""Results as JUnit XML, as CI systems read it: a suite for each scenario, a case for each expectation."""

from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

from vpcdns.rehearsal.run import Result, StepResult


def junit(results: Sequence[Result]) -> str:
    """The document; step by step, the changes of each step being a case of their own."""
    root = ET.Element("testsuites", name="vpcdns rehearse")
    for result in results:
        cases = [case for number, step in enumerate(result.steps, 1) for case in _cases(number, step)]
        failed = sum(bool(failures) for _, _, failures in cases)
        attributes = {"name": result.rehearsal.title, "tests": str(len(cases)), "failures": str(failed)}
        suite = ET.SubElement(root, "testsuite", attributes)
        for classname, name, failures in cases:
            case = ET.SubElement(suite, "testcase", classname=_clean(classname), name=_clean(name))
            if failures:
                text = "\n".join(failures)
                ET.SubElement(case, "failure", message=_clean(failures[0])).text = _clean(text)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _cases(number: int, step: StepResult) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    classname = f"{number}. {step.step.title}"
    if step.step.changes:
        yield classname, "; ".join(step.step.changes), step.failures
    for check in step.checks:
        yield classname, check.title, check.failures


def _clean(text: str) -> str:
    """XML 1.0 knows no control characters."""
    return "".join(character if character.isprintable() or character == "\n" else "?" for character in text)
