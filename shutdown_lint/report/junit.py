"""JUnit XML, which nearly every CI shows as test results: a suite a file, a test case a finding.

The elements and attributes are those of Jenkins' ``junit-10.xsd``. Input that could not be analysed is an ``error``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from shutdown_lint.report.parts import details
from shutdown_lint.report.view import View, below, escaped, safe
from shutdown_lint.rules.registry import TROUBLES

if TYPE_CHECKING:
    from shutdown_lint.findings import Finding


def render(findings: Sequence[Finding], view: View) -> str:
    """The document; without findings it holds one test case that passes, since CIs take an empty one for a mistake."""
    root = ElementTree.Element("testsuites", {"name": "shutdown-lint", **_counts(findings)})
    for path, found in groupby(findings, key=lambda finding: finding.path):
        _suite(root, _xml(below(path, view.base)), list(found), view)
    if not findings:
        suite = ElementTree.SubElement(root, "testsuite", {"name": "shutdown-lint", **_counts(()), "tests": "1"})
        ElementTree.SubElement(suite, "testcase", name="no findings", classname="shutdown-lint", time="0")
        root.set("tests", "1")
    ElementTree.indent(root)
    # ASCII: whatever reads it need not guess
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, encoding="us-ascii").decode()}\n'


def _counts(findings: Sequence[Finding]) -> dict[str, str]:
    errors = sum(finding.code in TROUBLES for finding in findings)
    counts = {"tests": len(findings), "failures": len(findings) - errors, "errors": errors}
    return {name: str(number) for name, number in counts.items()}


def _suite(root: ElementTree.Element, path: str, findings: Sequence[Finding], view: View) -> None:
    suite = ElementTree.SubElement(root, "testsuite", {"name": path, **_counts(findings)})
    for finding in findings:
        span, message = finding.span, _xml(finding.message)
        name = f"{finding.code} {finding.name} ({span.line}:{span.col})"
        case = ElementTree.SubElement(
            suite, "testcase", name=name, classname=path, file=path, line=str(span.line), time="0"
        )
        kind = "error" if finding.code in TROUBLES else "failure"
        body = ElementTree.SubElement(case, kind, message=message, type=finding.severity)
        place = f"{path}:{span.line}:{span.col}"
        lines = [f"{place} {finding.code} {message}", *map(_xml, details(finding, view)), finding.url]
        body.text = "\n".join(lines)


def _xml(text: str) -> str:
    """The text without what XML 1.0 cannot hold, not even escaped (production 2, Char)."""
    return re.sub("[\ufffe\uffff]", lambda found: escaped(found[0]), safe(text))
