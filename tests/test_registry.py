"""The index of rules, selectors, and what is generated from the rules."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import harness
import pytest

from shutdown_lint.models import builtin_models
from shutdown_lint.rules import registry
from shutdown_lint.rules.registry import Entry, UnknownSelector
from shutdown_lint.triggers import Text, expand, fires

ROOT = Path(__file__).parent.parent


def entry(code: str, name: str, tier: str) -> Entry:
    return Entry(code, name, "text", tier, "error", "none", ("word",), "none", "0.1.0", (), True)  # type: ignore[arg-type]  # a literal


@pytest.fixture
def some_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = (
        entry("SHD101", "exit-skips-cleanup", "D"),
        entry("SHD108", "site-exit", "S"),
        entry("SHD190", "new-idea", "P"),
        entry("SHD201", "thread-leak", "D"),
        entry("SHD900", "syntax-error", "D"),
        entry("SHD910", "unused-suppression", "D"),
    )
    monkeypatch.setattr(registry, "entries", lambda: rules)


TROUBLES = dict.fromkeys(registry.TROUBLES, "DSP")


@pytest.mark.parametrize(
    ("select", "extend", "ignore", "expected"),
    [
        ((), (), (), {"SHD101": "D", "SHD201": "D", "SHD910": "D"}),
        ((), ("SHD1",), (), {"SHD101": "DS", "SHD108": "DS", "SHD201": "D", "SHD910": "D"}),
        (("SHD1",), (), (), {"SHD101": "DS", "SHD108": "DS"}),
        (("ALL",), (), (), {"SHD101": "DS", "SHD108": "DS", "SHD201": "DS", "SHD910": "DS"}),
        (("shd190", "Site-Exit"), (), (), {"SHD190": "DSP", "SHD108": "DSP"}),
        (("SHD1", "SHD101"), (), (), {"SHD101": "DSP", "SHD108": "DS"}),
        (("ALL",), (), ("SHD1",), {"SHD201": "DS", "SHD910": "DS"}),
        (("SHD101",), (), ("SHD1",), {"SHD101": "DSP"}),
        (("SHD1",), (), ("exit-skips-cleanup",), {"SHD108": "DS"}),
        ((), (), ("SHD",), {}),
        (("SHD1",), (), ("SHD1",), {}),
    ],
)
def test_resolve(
    some_rules: None,
    select: tuple[str, ...],
    extend: tuple[str, ...],
    ignore: tuple[str, ...],
    expected: dict[str, str],
) -> None:
    assert registry.resolve(select, extend, ignore) == {**TROUBLES, **expected}


def test_troubles_are_turned_off_by_their_own_code_only(some_rules: None) -> None:
    assert "SHD900" in registry.resolve((), (), ("SHD9", "ALL"))
    assert "SHD900" not in registry.resolve((), (), ("SHD900",))
    assert "SHD900" not in registry.resolve((), (), ("syntax-error",))


@pytest.mark.parametrize(
    ("selector", "near"),
    [("SHD110", "SHD101"), ("exit-skip-cleanup", "exit-skips-cleanup"), ("sit-exit", "site-exit"), ("E501", "")],
)
def test_unknown_selectors_are_errors_with_what_is_near(some_rules: None, selector: str, near: str) -> None:
    with pytest.raises(UnknownSelector) as caught:
        registry.resolve((selector,))
    assert (near in caught.value.near) if near else not caught.value.near
    assert selector in str(caught.value)


@pytest.mark.parametrize("selector", ["", "S", "SHD1010", "exit", "SHD101x"])
def test_no_selector_matches_by_accident(some_rules: None, selector: str) -> None:
    with pytest.raises(UnknownSelector):
        registry.matching(selector)


def test_find_takes_codes_and_names_in_any_case() -> None:
    found = registry.find("shd900")
    assert found is not None
    assert found == registry.find("Syntax-Error")
    assert registry.find("SHD9") is None


def test_triggers_are_those_of_the_rules_asked_for(some_rules: None) -> None:
    assert registry.triggers(["SHD101"]) == {"word"}
    assert registry.triggers([]) == frozenset()


def test_a_rule_that_cannot_be_imported_fails_where_it_is_run(some_rules: None) -> None:
    check = registry.load(entry("SHD101", "exit-skips-cleanup", "D")._replace(module="shutdown_lint.rules.no_such"))
    with pytest.raises(ModuleNotFoundError):
        list(check(None, None))  # type: ignore[arg-type]  # it must not look at them


def test_listing_rules_imports_none_of_them() -> None:
    code = (
        "import sys; from shutdown_lint.rules import registry; registry.resolve(('ALL',)); "
        "print([m for m in sys.modules if '.shd' in m or m in ('libcst', 'shutdown_lint.project')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "scripts" / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_files_are_up_to_date(generate: ModuleType) -> None:
    modules, errors = generate.scan()
    assert not errors, "\n".join(errors)
    assert not generate.differences(generate.outputs(modules)), "run scripts/generate.py"


def test_index_and_declarations_agree(generate: ModuleType) -> None:
    modules, _ = generate.scan()
    assert [generate.entry_of(module) for module in modules] == list(registry.entries())


def test_generation_notices_contradictions(generate: ModuleType, tmp_path: Path) -> None:
    module = ModuleType("rule", "Nothing.\n\n## Example\n")
    module.RULE = registry.find("SHD900")  # type: ignore[attr-defined]  # an entry has the fields of a rule
    module.check = None  # type: ignore[attr-defined]
    errors = generate.declaration_errors(generate.ROOT / "shd101_other.py", module)
    assert any("shd900_syntax_error.py" in error for error in errors)
    assert any("`## Use instead`" in error for error in errors)


def test_rules_are_declared_in_the_folder_of_their_family() -> None:
    folders = {
        "1": "exits",
        "2": "work",
        "3": "signals",
        "4": "waits",
        "5": "swallowed",
        "6": "deployment",
        "9": "linter",
    }
    for rule in registry.entries():
        assert rule.module.split(".")[2] == folders[rule.code[3]], rule.module


def test_summaries_are_one_sentence() -> None:
    for rule in registry.entries():
        assert not rule.summary.endswith("."), rule.code
        assert "\n" not in rule.summary, rule.code


def test_marks_of_fixtures_name_rules_that_exist() -> None:
    codes = {rule.code for rule in registry.entries()}
    for fixture in harness.fixtures():
        for mark in harness.marks_of(fixture):
            assert mark.code in codes, f"{fixture}:{mark.line}"


def test_triggers_do_not_let_nearly_every_file_through() -> None:
    """A trigger that most files hold makes the linter parse whole projects: join it with another word by `` & ``."""
    files = [Text(path.read_bytes()) for path in sorted(Path(os.__file__).parent.glob("*.py"))]
    models = builtin_models()
    for rule in registry.entries():
        for trigger in rule.triggers:
            share = sum(fires(expand([trigger], models), text) for text in files) / len(files)
            assert share < 0.6, f"{rule.code}: `{trigger}` is in {share:.0%} of the files of the standard library"
