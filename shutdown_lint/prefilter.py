"""Which files need not be parsed: those that hold none of the words without which no rule can fire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.lazily import lazily
from shutdown_lint.triggers import SUPPRESSION_WORDS, Imported, Text, Trigger, expand, fragments, parts_of, work_words

if TYPE_CHECKING:
    from shutdown_lint.models import Models

_OTHERS = ""  # stands where the code of a rule does
_MAX_REMEMBERED = 1 << 17  # words


class _Way(NamedTuple):
    """A trigger of a rule, and the fragments of words without which it cannot occur."""

    code: str
    needed: frozenset[bytes]
    trigger: Trigger


class Prefilter:
    """What a file must hold to be parsed: what a rule looks for, or one of the words by which it matters to other files.

    There are some two thousand triggers, and a file holds a few of them. Each is filed under one fragment of a word that
    it needs; looked at are those whose fragment occurs in some word of the file. What a word holds is remembered from
    file to file.
    """

    def __init__(self, rules: Iterable[tuple[str, Trigger]], others: Iterable[Trigger]) -> None:
        self._rules, self._others = tuple(rules), tuple(others)

    def __reduce__(self) -> tuple[type[Prefilter], tuple[object, ...]]:
        return Prefilter, (self._rules, self._others)

    @lazily
    def packages(self) -> frozenset[str]:
        """The packages whose import it looks for."""
        triggers = (*(trigger for _, trigger in self._rules), *self._others)
        found = {part.package for trigger in triggers for part in trigger if isinstance(part, Imported)}
        return frozenset(package.decode("utf-8", "surrogateescape") for package in found)

    def without(self, own: Iterable[str]) -> Prefilter:
        """The same for a project that holds these packages: to itself a modelled library is no library."""
        packages = {
            Imported(name.encode("utf-8", "surrogateescape"), by) for name in own for by in (b"from", b"import")
        }
        rules = [(code, trigger) for code, trigger in self._rules if packages.isdisjoint(trigger)]
        return Prefilter(rules, [trigger for trigger in self._others if packages.isdisjoint(trigger)])

    def codes(self, data: bytes, name: str = "") -> frozenset[str] | None:
        """The rules that could fire in a file with this content, the module of this name; None: it need not be parsed."""
        text, index = Text(data, name), self._index
        within = index.within(text)
        found = index.rules.firing(text, within)
        return found if found or index.others.firing(text, within) else None

    def passes(self, data: bytes, name: str = "") -> bool:
        """Whether the file must be parsed."""
        return self.codes(data, name) is not None

    @lazily
    def _index(self) -> _Index:
        return _Index(self._rules, self._others)


class _Index:
    """The ways by fragment, and the fragments of words."""

    def __init__(self, rules: Iterable[tuple[str, Trigger]], others: Iterable[Trigger]) -> None:
        self.rules, self.others = _Ways(rules), _Ways((_OTHERS, trigger) for trigger in others)
        starts: dict[bytes, list[bytes]] = {}
        for fragment in self.rules.fragments | self.others.fragments:
            starts.setdefault(fragment[:3], []).append(fragment)
        self._starts = starts
        self._held: dict[bytes, tuple[bytes, ...]] = {}  # word → its fragments
        self._plain: set[bytes] = set()  # words without any: most are, and a set takes them out at once

    def within(self, text: Text) -> set[bytes]:
        """The fragments that stand in words of the text."""
        found: set[bytes] = set()
        held = self._held
        for word in text.words - self._plain:
            inside = held.get(word)
            if inside is None:
                inside = self._remembered(word)
            found.update(inside)
        return found

    def _remembered(self, word: bytes) -> tuple[bytes, ...]:
        inside = self._look(word)
        if len(self._held) + len(self._plain) > _MAX_REMEMBERED:
            self._held.clear()
            self._plain.clear()
        if inside:
            self._held[word] = inside
        else:
            self._plain.add(word)
        return inside

    def _look(self, word: bytes) -> tuple[bytes, ...]:
        starts = self._starts
        return tuple(
            [
                fragment
                for start in range(len(word) - 2)
                for fragment in starts.get(word[start : start + 3], ())
                if word.startswith(fragment, start)
            ]
        )


class _Ways:
    """Triggers, each with its code, by a fragment that it needs; empty for those that need none."""

    def __init__(self, triggers: Iterable[tuple[str, Trigger]]) -> None:
        self._by_fragment: dict[bytes, list[_Way]] = {}
        self.fragments: set[bytes] = set()
        for code, trigger in triggers:
            needed = frozenset().union(*map(fragments, trigger))
            self.fragments |= needed
            self._by_fragment.setdefault(max(needed, key=len, default=b""), []).append(_Way(code, needed, trigger))

    def firing(self, text: Text, within: set[bytes]) -> frozenset[str]:
        """The codes of the triggers that occur in the text, in whose words these fragments stand."""
        found: set[str] = set()
        by_fragment, holds = self._by_fragment, text.holds
        for fragment in (*(within & by_fragment.keys()), b""):
            for code, needed, trigger in by_fragment.get(fragment, ()):
                if code not in found and needed <= within and all(map(holds, trigger)):
                    found.add(code)
        return frozenset(found)


class Prefilters:
    """Prefilters for the rules ``codes``; one for all projects that need no other."""

    def __init__(self, codes: Iterable[str], models: Models) -> None:
        self._codes, self._models = tuple(codes), models
        self._all: dict[tuple[str, ...], Prefilter] = {}
        self._less: dict[tuple[tuple[str, ...], frozenset[str]], Prefilter] = {}

    def of(self, scripts: tuple[str, ...], own: Iterable[str]) -> tuple[Prefilter, object]:
        """The prefilter of a project, and what it depends on; for the arguments see ``compile_prefilter``."""
        full = self._all.get(scripts)
        if full is None:
            full = self._all[scripts] = compile_prefilter(self._codes, self._models, scripts)
        needless = full.packages.intersection(own)
        if not needless:
            return full, (scripts, ())
        key = scripts, needless
        if key not in self._less:
            self._less[key] = full.without(needless)
        return self._less[key], (scripts, sorted(needless))


def compile_prefilter(
    codes: Iterable[str], models: Models, scripts: Iterable[str] = (), own: frozenset[str] = frozenset()
) -> Prefilter:
    """What a file must hold to be parsed when the rules ``codes`` are run.

    ``scripts`` are the functions that console scripts run, ``own`` the packages of the project: to itself a modelled
    library is no library.
    """
    from shutdown_lint.rules.registry import triggers

    wanted = ((code, expand(sorted(triggers([code])), models, scripts)) for code in sorted(codes))
    rules = [(code, trigger) for code, found in wanted for trigger in found]
    full = Prefilter(rules, (*map(parts_of, SUPPRESSION_WORDS), *work_words(models)))
    return full.without(own) if own else full
