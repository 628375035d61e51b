"""Regenerate what is derived from the rules (index, pages, table), the options (a page), the models (one JSON file)
and the proofs of fixes (a table).

    python scripts/generate.py          write what differs
    python scripts/generate.py --check  write nothing, fail when something differs

A rule that cannot be imported is told on stderr and left out; the exit code is then 1.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

if TYPE_CHECKING:
    from types import ModuleType

    from shutdown_lint.models.schema import Key
    from shutdown_lint.rules.registry import Entry

FAMILIES = {
    "exits": "1xx Exits that bypass or lose cleanup",
    "work": "2xx Work left behind",
    "signals": "3xx Signals",
    "waits": "4xx Waits without a limit",
    "swallowed": "5xx Swallowed or broken shutdown",
    "deployment": "6xx Deployment against code",
    "linter": "9xx The linter's own",
}
TIERS = {"D": "default", "S": "strict (opt-in)", "P": "preview (opt-in by code)"}
NOTICE = "<!-- Written by scripts/generate.py from {source}: do not edit. -->\n"
INDEX_HEAD = '''"""All rules, written by scripts/generate.py: do not edit."""

from __future__ import annotations

from typing import Any

# code, name, summary, tier, severity, fix, triggers, module, since, origin, checks
INDEX: tuple[tuple[Any, ...], ...] = (
'''


def rule_files(package: Path) -> list[Path]:
    """The rule files of all families, by code."""
    return sorted(package.glob("rules/*/shd[0-9][0-9][0-9]_*.py"), key=lambda path: path.name)


def module_name(path: Path) -> str:
    """``shutdown_lint.rules.exits.shd101_exit_skips_cleanup``."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def import_rules(files: Iterable[Path]) -> tuple[list[ModuleType], list[str]]:
    """The rule modules, and what went wrong with the rest."""
    modules, errors = [], []
    for file in files:
        try:
            module = importlib.import_module(module_name(file))
            errors += declaration_errors(file, module)
            modules.append(module)
        except Exception:  # noqa: BLE001  # whatever is wrong with one rule, the others are generated
            errors.append(f"{file.relative_to(ROOT)}: cannot be imported\n{traceback.format_exc(limit=-1)}")
    return modules, errors


def declaration_errors(file: Path, module: ModuleType) -> list[str]:
    """What in the declaration contradicts the file's name or the docstring's form."""
    rule, doc = module.RULE, module.__doc__ or ""
    expected = f"{rule.code.lower()}_{rule.name.replace('-', '_')}.py"
    needed = ["What it does", "Why it matters", "Precision", "References"]
    if hasattr(module, "check"):
        needed += ["Example", "Use instead"]
    if rule.fix != "none":
        needed.append("Fix safety")
    where = file.relative_to(ROOT)
    errors = [f"{where}: the rule's code and name ask for the file name {expected}"] if file.name != expected else []
    return errors + [f"{where}: no section `## {title}`" for title in needed if f"\n## {title}\n" not in doc]


def entry_of(module: ModuleType) -> Entry:
    """The index line of a rule module."""
    from shutdown_lint.rules.registry import Entry

    rule = module.RULE
    return Entry(
        rule.code,
        rule.name,
        rule.summary,
        rule.tier,
        rule.severity,
        rule.fix,
        rule.triggers,
        module.__name__,
        rule.since,
        rule.origin,
        hasattr(module, "check"),
    )


def scan() -> tuple[list[ModuleType], list[str]]:
    """All rule modules of the package and the errors in them, duplicate codes and names included."""
    modules, errors = import_rules(rule_files(ROOT / "shutdown_lint"))
    seen: dict[str, str] = {}
    for module in modules:
        for key in (module.RULE.code, module.RULE.name):
            if key in seen:
                errors.append(f"{module.__name__}: `{key}` is taken by {seen[key]}")
            seen[key] = module.__name__
    return modules, errors


def render_index(modules: Iterable[ModuleType]) -> str:
    """The text of ``shutdown_lint/rules/_index.py``."""
    rows = (render_row(entry_of(module)) for module in modules)
    return INDEX_HEAD + "".join(rows) + ")\n"


def render_row(entry: Entry) -> str:
    fields = "".join(f"        {literal(field)},\n" for field in entry)
    return f"    (\n{fields}    ),\n"


def literal(value: object) -> str:
    """A Python literal with double quotes, broken where a tuple would pass the line length."""
    if isinstance(value, tuple):
        items = [literal(item) for item in value]
        flat = f"({', '.join(items)}{',' if len(items) == 1 else ''})"
        # the formatter keeps what is broken, but for a single item that fits
        return (
            flat
            if len(flat) < (112 if len(items) == 1 else 100)
            else "(\n" + "".join(f"            {item},\n" for item in items) + "        )"
        )
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value)


def render_page(module: ModuleType) -> str:
    """The page of one rule."""
    from examples import with_outputs

    entry = entry_of(module)
    doc = with_outputs(entry, (module.__doc__ or "").strip())
    source = Path(*module.__name__.split(".")).as_posix() + ".py"
    origin = f" | {', '.join(entry.origin)}" if entry.origin else " | –"
    return (
        f"{NOTICE.format(source=source)}\n# {entry.code} {entry.name}\n\n"
        "| tier | severity | fix | since | origin |\n|---|---|---|---|---|\n"
        f"| {TIERS[entry.tier]} | {entry.severity} | {entry.fix} | {entry.since}{origin} |\n\n{doc}\n"
    )


def render_table(modules: Iterable[ModuleType]) -> str:
    """The page that lists all rules by family."""
    families: dict[str, list[Entry]] = {}
    for module in modules:
        families.setdefault(module.__name__.split(".")[2], []).append(entry_of(module))
    parts = [NOTICE.format(source="the rules"), "\n# Rules\n"]
    for family in sorted(families, key=lambda name: families[name][0].code):
        parts.append(
            f"\n## {FAMILIES.get(family, family)}\n\n| code | name | tier | severity | fix | what it reports |\n"
        )
        parts.append("|---|---|---|---|---|---|\n")
        parts += (
            f"| [{e.code}]({e.code}.md) | {e.name} | {e.tier} | {e.severity} | {e.fix} | {cell(e.summary)} |\n"
            for e in families[family]
        )
    tiers = "; ".join(f"{tier}: {text}" for tier, text in TIERS.items())
    return "".join(parts) + f"\nTiers: {tiers}. A single finding may speak at a stricter tier than its rule.\n"


def cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


def outputs(modules: list[ModuleType]) -> dict[Path, str]:
    """Every generated file with the text that it should have."""
    out = {ROOT / "shutdown_lint/rules/_index.py": render_index(modules)}
    out.update((ROOT / f"docs/rules/{module.RULE.code}.md", render_page(module)) for module in modules)
    out[ROOT / "docs/rules/index.md"] = render_table(modules)
    try:
        from shutdown_lint.options import render_docs
    except ImportError:
        return out
    from shutdown_lint.config.json_schema import schema

    out[ROOT / "docs/configuration.md"] = render_docs()
    out[ROOT / "docs/shutdown-lint.schema.json"] = json.dumps(schema(), indent=2) + "\n"
    return out


def model_outputs() -> tuple[dict[Path, str], list[str]]:
    """The compiled models, and what is wrong with them."""
    from shutdown_lint.models import COMPILED, ModelError
    from shutdown_lint.models.sources import render

    page = ROOT / "docs/models.md"
    try:
        return {Path(COMPILED): render(), page: with_tables(read(page) or "")}, []
    except ModelError as error:
        return {}, str(error).splitlines()


def fix_outputs() -> dict[Path, str]:
    """The page on fixes with the table of what has been proven by running."""
    sys.path.insert(0, str(ROOT / "tests"))
    try:
        import proofs
    finally:
        sys.path.pop(0)
    page = ROOT / "docs/fixes.md"
    text = read(page) or ""
    head, begin, rest = text.partition("<!-- proofs:")
    mark, end = rest.partition("\n")[0], "<!-- /proofs -->"
    return {page: f"{head}{begin}{mark}\n\n{proofs.table()}\n{end}{rest.partition(end)[2]}" if begin else text}


def with_tables(page: str) -> str:
    """The page on models with what the schema says between its marks."""
    from shutdown_lint.models.schema import SCHEMA, TABLES

    parts = []
    for table, keys in SCHEMA.items():
        parts.append(
            f"\n### `[[{table}]]`\n\n{TABLES[table]}\n\n| key | type | default | meaning |\n|---|---|---|---|\n"
        )
        parts += (f"| `{key.name}` | {key_type(key)} | {default_text(key)} | {cell(key.help)} |\n" for key in keys)
    head, begin, rest = page.partition("<!-- tables:")
    mark, end = rest.partition("\n")[0], "<!-- /tables -->"
    return f"{head}{begin}{mark}\n{''.join(parts)}\n{end}{rest.partition(end)[2]}" if begin else page


def key_type(key: Key) -> str:
    texts = {
        "dotted": "dotted name",
        "path": "dotted name",
        "dotteds": "list of dotted names",
        "paths": "list of packages",
        "names": "list of methods",
        "texts": "list of texts",
        "waits": "list of `{ method, timeout, position }`",
        "keyword": "parameter",
        "text": "text",
        "position": "number",
        "switch": "boolean",
    }
    return texts[key.kind] if key.kind != "word" else ", ".join(f"`{word}`" for word in key.words)


def default_text(key: Key) -> str:
    if key.default is None:
        return "required"
    return {"": "", (): "", False: "false", -1: "-1"}.get(key.default, f"`{key.default}`")


def stale(expected: Iterable[Path]) -> Iterator[Path]:
    """Rule pages whose rule is gone."""
    kept = set(expected)
    yield from (page for page in sorted((ROOT / "docs/rules").glob("SHD*.md")) if page not in kept)


def read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def write(path: Path, text: str) -> None:
    """Replace the file at once, so that nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.chmod(name, 0o644)
    os.replace(name, path)


def differences(wanted: dict[Path, str]) -> list[Path]:
    """The generated files that are missing, differ or should not be there."""
    return [path for path, text in wanted.items() if read(path) != text] + list(stale(wanted))


def main(argv: list[str]) -> int:
    """See the module's docstring."""
    modules, errors = scan()
    models, mistakes = model_outputs()
    for error in [*errors, *mistakes]:
        print(error, file=sys.stderr)
    check = "--check" in argv
    for path, text in models.items() if not check and not mistakes else ():
        write(path, text)  # first: the pages quote runs, which read them
    wanted = {**outputs(modules), **models, **fix_outputs()}
    changed = differences(wanted)
    for path in changed:
        print(f"{'differs' if check else 'wrote' if path in wanted else 'removed'}: {path.relative_to(ROOT)}")
        if not check:
            write(path, wanted[path]) if path in wanted else path.unlink()
    return 1 if errors or mistakes or (check and changed) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
