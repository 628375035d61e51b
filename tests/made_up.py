"""Rules made for the purpose, so that tests of the engine do not depend on what the real ones find."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shutdown_lint import engine
from shutdown_lint.facts import ModuleFacts
from shutdown_lint.findings import Finding, Tier
from shutdown_lint.project import Project
from shutdown_lint.rules import registry
from shutdown_lint.rules.registry import Entry
from shutdown_lint.settings import Settings
from shutdown_lint.walk import dotted

HAZARD = "def stop():\n    hazard()\n"


def entry(code: str, name: str, tier: str, *triggers: str) -> Entry:
    return Entry(code, name, "text", tier, "error", "none", triggers, "", "0.1.0", (), True)  # type: ignore[arg-type]  # a literal


DEFAULT, STRICT, BROKEN = (
    entry("SHD198", "calls-hazard", "D", "hazard"),
    entry("SHD298", "calls-risk", "S", "risk"),
    entry("SHD398", "always-fails", "P", "hazard"),
)


def calls(name: str, rule: Entry) -> registry.Check:
    def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
        for fn in project.functions(module):
            for site in fn.sites:
                if dotted(site.call.func) == name:
                    callers = len(project.calls.callers(fn))
                    tier: Tier = "S" if rule.tier == "S" or site.call.args else "D"
                    yield Finding(
                        module.path, site.call.span, rule.code, rule.name, f"{callers} callers", "error", tier
                    )

    return check


def fails(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    raise RuntimeError("not today\nsecond line")
    yield


CHECKS = {"SHD198": calls("hazard", DEFAULT), "SHD298": calls("risk", STRICT), "SHD398": fails}


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the made-up rules (and the linter's own SHD9xx) into the place of all rules."""
    registry.on_deployment()  # it is remembered, and must not be of what is put here
    own = tuple(rule for rule in registry.entries() if rule.code.startswith("SHD9"))
    monkeypatch.setattr(registry, "entries", lambda: (DEFAULT, STRICT, BROKEN, *own))
    monkeypatch.setattr(registry, "load", lambda rule: CHECKS[rule.code])


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def check(root: Path, *paths: str, **settings: Any) -> engine.Report:
    options = Settings(root=str(root), jobs=1)._replace(**settings)
    return engine.check([str(root / path) for path in paths or ("",)], options)


def told(report: engine.Report) -> list[tuple[str, int, str]]:
    return [(os.path.basename(f.path), f.span.line, f.code) for f in report.findings]
