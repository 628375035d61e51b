"""The rules that there are, found through the generated index: no rule module is imported until it must run.

A selector is what a user may write to name rules: ``ALL``, a prefix (``SHD``, ``SHD1``, ``SHD10``), a code
(``SHD101``) or a name (``exit-skips-cleanup``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from shutdown_lint.facts import ModuleFacts
    from shutdown_lint.findings import Finding, Severity, Tier
    from shutdown_lint.project import Project

    # (module, project) of a rule on Python, (file, world) of one on deployment files
    Check: TypeAlias = Callable[[Any, Any], Iterator[Finding]]

# A run that says nothing about these would pass for a check of files that nobody looked at.
TROUBLES = frozenset({"SHD900", "SHD901", "SHD902", "SHD903", "SHD904"})
CODE_LENGTH = len("SHD101")


class Entry(NamedTuple):
    """One line of the index: the declaration of a rule without its code.

    ``module`` is the dotted name of the rule's module; ``checks`` is false for rules that the engine itself reports.
    """

    code: str
    name: str
    summary: str
    tier: Tier
    severity: Severity
    fix: Literal["safe", "unsafe", "none"]
    triggers: tuple[str, ...]
    module: str
    since: str
    origin: tuple[str, ...]
    checks: bool

    @property
    def on_deployment(self) -> bool:
        """Whether the rule looks at deployment files, not at Python."""
        return ".rules.deployment." in self.module


class UnknownSelector(Exception):
    """A selector names no rule. ``near`` are the selectors that look like it, best first."""

    def __init__(self, selector: str, near: tuple[str, ...]) -> None:
        hint = f"; did you mean {' or '.join(f'`{word}`' for word in near)}?" if near else ""
        super().__init__(f"unknown rule selector `{selector}`{hint}")
        self.selector, self.near = selector, near


@lru_cache(maxsize=1)
def entries() -> tuple[Entry, ...]:
    """All rules, by code."""
    from shutdown_lint.rules._index import INDEX

    return tuple(Entry(*row) for row in INDEX)


@lru_cache(maxsize=1)
def on_deployment() -> frozenset[str]:
    """The codes of the rules on deployment files."""
    return frozenset(entry.code for entry in entries() if entry.on_deployment)


def find(code_or_name: str) -> Entry | None:
    """The rule with this code or name, in any case."""
    wanted = code_or_name.strip()
    return next((e for e in entries() if wanted.upper() == e.code or wanted.lower() == e.name), None)


def matching(selector: str) -> tuple[Entry, ...]:
    """The rules that a selector names. Raises ``UnknownSelector`` when there are none."""
    wanted = selector.strip()
    if wanted.upper() in ("ALL", "SHD"):
        return entries()
    found = tuple(e for e in entries() if wanted.lower() == e.name or _is_prefix(wanted.upper(), e.code))
    if not found:
        raise UnknownSelector(selector, near(selector))
    return found


def _is_prefix(selector: str, code: str) -> bool:
    return len(selector) >= len("SHD1") and code.startswith(selector)


def near(selector: str) -> tuple[str, ...]:
    """Up to three selectors that are written like this one: names by likeness, codes by what they have in common."""
    from difflib import get_close_matches

    wanted = selector.strip()
    names = get_close_matches(wanted.lower(), [entry.name for entry in entries()], 3, 0.6)
    if names or not wanted.upper().startswith("SHD"):
        return tuple(names)
    codes = [entry.code for entry in entries()]
    return tuple(sorted(codes, key=lambda code: (-_common(code, wanted.upper()), code))[:3])


def _common(left: str, right: str) -> int:
    return next((n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))


def specificity(selector: str) -> int:
    """How precisely a selector names rules: 0 for all, the number of digits for a prefix, 9 for a code or a name."""
    wanted = selector.strip().upper()
    if wanted in ("ALL", "SHD"):
        return 0
    if wanted.startswith("SHD") and wanted[3:].isdigit() and len(wanted) < CODE_LENGTH:
        return len(wanted) - len("SHD")
    return 9


def resolve(
    select: Iterable[str] = (), extend_select: Iterable[str] = (), ignore: Iterable[str] = ()
) -> dict[str, str]:
    """Which rules run, and which tiers of findings each may show.

    Maps each enabled code to a subset of ``"DSP"``. No ``select`` means the default: findings of tier D of the rules of
    tier D. A prefix or ``ALL`` turns on everything but previews; a full code or a name turns on all of the rule. As in
    ruff, the more precise selector wins, and ``ignore`` wins among equals. Input troubles (SHD900–904) are always on
    unless one is ignored by its code or name. Raises ``UnknownSelector``.
    """
    select, extend_select, ignore = tuple(select), tuple(extend_select), tuple(ignore)
    enabled: dict[str, str] = {} if select else {e.code: "D" for e in entries() if e.tier == "D"}
    enabled.update((code, "DSP") for code in TROUBLES)
    unique = sorted({*select, *extend_select, *ignore}, key=lambda s: (specificity(s), s))
    for level in sorted({specificity(selector) for selector in unique}):
        _turn_on(enabled, [s for s in (*select, *extend_select) if specificity(s) == level], whole=level == 9)
        _turn_off(enabled, [s for s in ignore if specificity(s) == level], whole=level == 9)
    return enabled


def _turn_on(enabled: dict[str, str], selectors: Iterable[str], whole: bool) -> None:
    for entry in (e for selector in selectors for e in matching(selector)):
        if whole:
            enabled[entry.code] = "DSP"
        elif entry.tier != "P" and enabled.get(entry.code) != "DSP":
            enabled[entry.code] = "DS"


def _turn_off(enabled: dict[str, str], selectors: Iterable[str], whole: bool) -> None:
    for entry in (e for selector in selectors for e in matching(selector)):
        if whole or entry.code not in TROUBLES:
            enabled.pop(entry.code, None)


def everything() -> dict[str, str]:
    """All rules with all their tiers."""
    return {entry.code: "DSP" for entry in entries()}


def load(entry: Entry) -> Check:
    """The function that checks a module for this rule; imports the rule."""
    from importlib import import_module

    try:
        check: Check = import_module(entry.module).check
    except Exception as error:  # noqa: BLE001  # one broken rule must not end the run; it fails where it is run
        return _failing(error)
    return check


def _failing(error: Exception) -> Check:
    def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
        raise error

    return check


def doc(entry: Entry) -> str:
    """The text of the rule's page in Markdown: the docstring of its module."""
    from importlib import import_module

    return (import_module(entry.module).__doc__ or "").strip()


def triggers(codes: Iterable[str]) -> frozenset[str]:
    """The words without which none of these rules can fire in a file."""
    wanted = frozenset(codes)
    return frozenset(word for entry in entries() if entry.code in wanted for word in entry.triggers)
