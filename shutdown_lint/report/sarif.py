"""SARIF 2.1.0 (OASIS), for GitHub code scanning, Azure DevOps, VS Code and other viewers.

The path of a finding is a code flow, what is lost stands in its related locations, fixes are replacements. Paths are
relative to ``%SRCROOT%``, the root of the repository; fingerprints survive moved lines.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from shutdown_lint import __version__
from shutdown_lint.report.fingerprints import fingerprints
from shutdown_lint.report.view import View, below, safe, whole
from shutdown_lint.rules import registry

if TYPE_CHECKING:
    from shutdown_lint.facts import Span
    from shutdown_lint.findings import Edit, Finding, Step

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_PAGE = "https://shutdown-lint.readthedocs.io/"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_ROOT = "%SRCROOT%"


def render(findings: Sequence[Finding], view: View) -> str:
    """The log, with one run."""
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(findings, view)]}
    return json.dumps(log, indent=2) + "\n"


def _run(findings: Sequence[Finding], view: View) -> dict[str, Any]:
    codes = sorted({finding.code for finding in findings})
    prints = fingerprints(findings, view.read, view.base)
    index = {code: number for number, code in enumerate(codes)}
    return {
        "tool": {
            "driver": {
                "name": "shutdown-lint",
                "semanticVersion": __version__,
                "informationUri": _PAGE,
                "rules": [_rule(code) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "the root of the repository"}}},
        "invocations": [{"executionSuccessful": not registry.TROUBLES & set(codes)}],
        "results": [_result(finding, index[finding.code], prints[finding], view) for finding in findings],
    }


# --- rules -----------------------------------------------------------------------------------------------------------


def _rule(code: str) -> dict[str, Any]:
    entry = registry.find(code)
    if entry is None:
        return {"id": code}
    page = registry.doc(entry)
    summary, url = page.partition("\n")[0], _url(code)
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in entry.name.split("-")),
        "shortDescription": {"text": f"{entry.name}: {entry.summary}"},
        "fullDescription": {"text": summary},
        "help": {"text": page, "markdown": page},
        "helpUri": url,
        "defaultConfiguration": {"level": _LEVELS[entry.severity]},
        "properties": {"tags": ["shutdown", entry.module.split(".")[-2]], "tier": entry.tier, "since": entry.since},
    }


def _url(code: str) -> str:
    from shutdown_lint.findings import DOCS_URL

    return DOCS_URL.format(code=code)


# --- results ---------------------------------------------------------------------------------------------------------


def _result(finding: Finding, index: int, fingerprint: str, view: View) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": _message(f"{finding.message}. Help: {finding.help}" if finding.help else finding.message),
        "locations": [{"physicalLocation": _physical(finding.path, _region(finding.span), view)}],
        # the first is what GitHub looks at, and would else compute from the text around
        "partialFingerprints": {"primaryLocationLineHash": fingerprint, "shutdownLint/v1": fingerprint},
        "properties": {"name": finding.name, "tier": finding.tier, "confidence": finding.confidence},
    }
    if finding.trace:
        flow = [{"location": _location(step, view)} for step in finding.trace]
        result["codeFlows"] = [{"message": {"text": "the path to the loss"}, "threadFlows": [{"locations": flow}]}]
    if finding.lost:
        result["relatedLocations"] = [
            {"id": number, **_location(step, view, "lost: ")} for number, step in enumerate(finding.lost, 1)
        ]
    if edits := view.edits.get(finding, ()):
        result["fixes"] = [_fix(finding, edits, view)]
    return result


def _location(step: Step, view: View, label: str = "") -> dict[str, Any]:
    region = {"startLine": max(1, step.line), "startColumn": max(1, step.column)}
    return {"physicalLocation": _physical(step.path, region, view), "message": _message(label + step.text)}


def _physical(path: str, region: dict[str, int], view: View) -> dict[str, Any]:
    return {"artifactLocation": _artifact(path, view), "region": region}


def _artifact(path: str, view: View) -> dict[str, str]:
    place = below(path, view.base)
    if os.path.isabs(place):
        return {"uri": f"file://{'' if place.startswith('/') else '/'}{quote(_bytes(place), '/:')}"}
    return {"uri": quote(_bytes(place)), "uriBaseId": _ROOT}


def _bytes(path: str) -> bytes:
    try:
        return os.fsencode(path)
    except UnicodeEncodeError:  # no file can have such a name
        return whole(path).encode()


def _region(span: Span) -> dict[str, int]:
    start, end = (max(1, span.line), max(1, span.col)), (max(1, span.end_line), max(1, span.end_col))
    return {"startLine": start[0], "startColumn": start[1], "endLine": end[0], "endColumn": end[1]}


def _fix(finding: Finding, edits: Iterable[Edit], view: View) -> dict[str, Any]:
    replacements = [
        {"deletedRegion": _region(edit.span), "insertedContent": {"text": whole(edit.content)}} for edit in edits
    ]
    described = f"{finding.fix.message} ({finding.fix.applicability})" if finding.fix else ""
    return {
        "description": _message(described),
        "artifactChanges": [{"artifactLocation": _artifact(finding.path, view), "replacements": replacements}],
    }


def _message(text: str) -> dict[str, str]:
    """A plain text message; ``[text](target)`` would be a link (SARIF 3.11.6), and source text must make none."""
    lines = (safe(line).replace("](", "] (") for line in text.split("\n"))
    return {"text": "\n".join(lines)}
