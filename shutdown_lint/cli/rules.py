"""``shutdown-lint rules`` and ``shutdown-lint rule CODE|NAME``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from shutdown_lint.cli import FAILED
from shutdown_lint.cli.output import complain, to_stdout

if TYPE_CHECKING:
    from shutdown_lint.rules.registry import Entry

TIERS = {"D": "default", "S": "strict, opt-in", "P": "preview, opt-in"}
_USAGE = {
    "rules": "usage: shutdown-lint rules [--output-format text|json]\n\nList all rules.\n",
    "rule": "usage: shutdown-lint rule CODE|NAME\n\nExplain a rule.\n",
}


def table(given: list[str]) -> int:
    """Print every rule, one a line, or a JSON array."""
    from shutdown_lint.rules.registry import entries

    rest = given[1:]
    if _asks_help(rest):
        return _print_usage("rules")
    if rest[:1] == ["--output-format"]:
        rest = [f"--output-format={' '.join(rest[1:])}"]
    if rest not in ([], ["--output-format=text"], ["--output-format=json"]):
        return _misused("rules")
    to_stdout(_json(entries()) if rest[-1:] == ["--output-format=json"] else _text(entries()))
    return 0


def _text(entries: Iterable[Entry]) -> str:
    rows = [
        f"{entry.code}  {entry.name:<26} {entry.tier}  {entry.severity:<7} {_fix(entry)}  {entry.summary}\n"
        for entry in entries
    ]
    tiers = ", ".join(f"{tier} {text}" for tier, text in TIERS.items())
    return "".join(rows) + f"\nTiers: {tiers}. Fixes: [*] safe, [u] unsafe.\n"


def _fix(entry: Entry) -> str:
    return {"safe": "[*]", "unsafe": "[u]", "none": "   "}[entry.fix]


def _json(entries: Iterable[Entry]) -> str:
    import json

    keys = ("code", "name", "summary", "tier", "severity", "fix", "since")
    rows = (json.dumps({key: getattr(entry, key) for key in keys}) for entry in entries)
    return "[\n" + ",\n".join(f"  {row}" for row in rows) + "\n]\n"


def explain(given: list[str]) -> int:
    """Print what a rule's page says."""
    from shutdown_lint.rules.registry import doc, find, near

    if _asks_help(given[1:]):
        return _print_usage("rule")
    if len(given) != 2 or given[1].startswith("-"):
        return _misused("rule")
    entry = find(given[1])
    if entry is None:
        words = " or ".join(f"`{word}`" for word in near(given[1]))
        complain(f"no rule `{given[1]}`" + (f"; did you mean {words}?" if words else ""))
        return FAILED
    _print_page(_page(entry, doc(entry)))
    return 0


def _page(entry: Entry, text: str) -> str:
    facts = f"{entry.code} · tier {entry.tier} ({TIERS[entry.tier]}) · {entry.severity} · fix: {entry.fix}"
    return f"# {entry.name} ({entry.code})\n\n{facts} · since {entry.since}\n\n{text}\n"


def _print_page(page: str) -> None:
    if sys.stdout is None or not sys.stdout.isatty():
        to_stdout(page)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console()
    with console.capture() as captured:
        console.print(Markdown(page))
    to_stdout(captured.get())


def _asks_help(words: list[str]) -> bool:
    return words[:1] in (["-h"], ["--help"])


def _print_usage(command: str) -> int:
    to_stdout(_USAGE[command])
    return 0


def _misused(command: str) -> int:
    complain(_USAGE[command].partition("\n")[0])
    return FAILED
