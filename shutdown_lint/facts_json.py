"""Facts as data: the one serialised form, for the cache, for build systems and for other machines.

A module's facts are a tree of records. It is written level by level from the module at the top, and within a level type
by type: ``levels`` names the type of each record by a letter. What the records of a type say follows field by field, in
one list for each sort of value (``numbers``, ``names``, ``literals``, ``spans``; ``counts`` of what a field holds several
of). Which records belong to which follows from the order. So a reader never looks at one record by itself: it makes all
records of a type in one sweep, at the speed of C, several times faster than parsing. And what it makes is well-typed by
construction: there are no references that could lead astray, in a circle, or twice to the same place, and what is made
is never larger than what was read.

All is JSON: strings, numbers, booleans and ``null``. Texts and literals are written once and named by their numbers. The
same facts give the same text on every machine.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain, islice, repeat
from typing import Any, NamedTuple

from shutdown_lint import facts
from shutdown_lint.facts import UNKNOWN, Class, Function, ModuleFacts, Span, Unknown

MAX_LEVELS = 10_000  # lowering itself ends at half as many


class MalformedError(ValueError):
    """The data is not what ``dumps`` writes."""


# --- the schema ------------------------------------------------------------------------------------------------------

# letter → type of record; the order is that of the columns
_TYPES: dict[str, type[Any]] = {
    "m": facts.ModuleFacts,
    "d": facts.Function,
    "l": facts.Class,
    "p": facts.Param,
    "B": facts.Break,
    "C": facts.Continue,
    "=": facts.Assign,
    "E": facts.ExprStmt,
    "R": facts.Return,
    "!": facts.Raise,
    "I": facts.If,
    "W": facts.While,
    "F": facts.For,
    "T": facts.Try,
    "H": facts.Handler,
    "w": facts.With,
    "i": facts.WithItem,
    "D": facts.FunctionDef,
    "L": facts.ClassDef,
    "M": facts.Import,
    "b": facts.ImportName,
    "G": facts.ScopeDecl,
    "X": facts.Delete,
    "A": facts.Assert,
    "S": facts.Match,
    "s": facts.Case,
    "u": facts.Unknown,
    "n": facts.Name,
    ".": facts.Attr,
    "k": facts.Const,
    "a": facts.Arg,
    "(": facts.Call,
    "@": facts.Await,
    "y": facts.Yield,
    "f": facts.Lambda,
    "o": facts.Op,
    "q": facts.Seq,
    "[": facts.Subscript,
    "c": facts.Clause,
    "g": facts.Comp,
    "*": facts.Star,
    ":": facts.Walrus,
}
_NONE = "-"  # stands for a record that is not there
_LETTERS = {made: letter for letter, made in _TYPES.items()} | {type(None): _NONE}
_STATEMENTS, _EXPRESSIONS = "=ER!BCIWFTwDLMGXAS", "un.k(@yfoq[g*:"
_UNIONS = {"Expr": _EXPRESSIONS, "Stmt": _STATEMENTS}
_VALUES = {
    "str": "names",
    "str | None": "literals",
    "str | int | float | bool | None": "literals",
    "int": "numbers",
    "bool": "flags",
    "Span": "spans",
}
_SORTS = ("counts", "numbers", "flags", "names", "literals", "spans")
_LEAST = {sort: -1 if sort == "numbers" else 0 for sort in _SORTS}  # -1: no function, no class
_DEFINING = (facts.FunctionDef, facts.Lambda, facts.ClassDef)
_LITERALS = {str, int, float, bool, type(None)}
_SPAN = partial(tuple.__new__, Span)


class _Field(NamedTuple):
    """A field of a type: what ``sort`` of values it holds, and whether ``several``.

    Of records, ``letters`` are the types that may stand there.
    """

    sort: str
    several: bool
    letters: bytes = b""


def _field(annotation: str) -> _Field:
    name = "tuple[Stmt, ...]" if annotation == "Body" else annotation
    several, name = name.startswith("tuple["), name.removeprefix("tuple[").removesuffix(", ...]")
    if name in _VALUES:
        return _Field(_VALUES[name], several)
    bare = name.removesuffix(" | None")
    letters = (_UNIONS.get(bare) or _LETTERS[getattr(facts, bare)]) + _NONE * (bare != name)
    return _Field("records", several, letters.encode())


def _fields(made: type[Any]) -> tuple[_Field, ...]:
    annotations = made.__annotations__.values()
    return tuple([_field(str(getattr(annotation, "__forward_arg__", annotation))) for annotation in annotations])


_SCHEMA = {letter: _fields(made) for letter, made in _TYPES.items()}


def schema() -> str:
    """What the form depends on, as text: another schema, another form."""
    return repr([(letter, made.__name__, made._fields, _SCHEMA[letter]) for letter, made in _TYPES.items()])


# --- writing ---------------------------------------------------------------------------------------------------------


class _Numbers(dict[Any, int]):
    """Numbers of values in the order in which they were first seen."""

    def __missing__(self, value: Any) -> int:
        number = self[value] = len(self)
        return number


class _Writer:
    """What the records of one module say, by the sort of the values."""

    def __init__(self) -> None:
        self.texts, self.constants = _Numbers(), _Numbers()
        self.values: dict[str, list[Any]] = {sort: [] for sort in _SORTS}
        self._numbered: dict[str, Callable[[Iterable[Any]], Iterable[int]]] = {
            "names": self._texts,
            "literals": self._constants,
            "flags": partial(map, int),
            "spans": chain.from_iterable,
        }

    def level(self, records: Iterable[Any], letters: Iterable[str]) -> list[Any]:
        """Write the records of a level, whose types the letters tell; the records below them."""
        groups: defaultdict[str, list[Any]] = defaultdict(list)
        for letter, record in zip(letters, records):
            groups[letter].append(record)
        groups.pop(_NONE, None)
        below = self.values["records"] = []
        for letter in sorted(groups):
            for (sort, several, _), column in zip(_SCHEMA[letter], zip(*groups[letter])):
                values: Iterable[Any] = column
                if several:
                    self.values["counts"] += map(len, column)
                    values = chain.from_iterable(column)
                numbered = self._numbered.get(sort)
                self.values[sort] += values if numbered is None else numbered(values)
        return below

    def _texts(self, values: Iterable[str]) -> Iterable[int]:
        return map(self.texts.__getitem__, values)

    def _constants(self, values: Iterable[Any]) -> Iterable[int]:
        # 1, 1.0 and True are equal, and so are 0.0 and -0.0
        keys = [value if type(value) is str else (type(value), repr(value), value) for value in values]
        return map(self.constants.__getitem__, keys)


def dumps(module: ModuleFacts) -> str:
    """The facts as one line of JSON in ASCII."""
    writer, levels = _Writer(), []
    records: list[Any] = [module]
    while records:
        letters = list(map(_LETTERS.__getitem__, map(type, records)))
        levels.append("".join(letters))
        records = writer.level(records, letters)
    constants = [key if type(key) is str else key[2] for key in writer.constants]
    values = {sort: writer.values[sort] for sort in _SORTS}
    return json.dumps(
        {"levels": levels, "texts": list(writer.texts), "constants": constants, **values}, separators=(",", ":")
    )


# --- reading ---------------------------------------------------------------------------------------------------------


class _Reader:
    """Makes the records of one module, the lowest level first: all values are taken from the end of their list."""

    def __init__(self, data: dict[str, Any]) -> None:
        # names are compared and looked up, and are the same in all modules
        texts = list(map(sys.intern, _list(data, "texts", {str})))
        constants = _list(data, "constants", _LITERALS)
        given = {sort: _list(data, sort, {int}) for sort in _SORTS}
        if any(min(numbers, default=0) < _LEAST[sort] for sort, numbers in given.items()):
            raise MalformedError("a number is too small")
        spans = iter(given["spans"])
        self._values: dict[str, list[Any]] = {
            **given,
            "flags": list(map((False, True).__getitem__, given["flags"])),
            "names": list(map(texts.__getitem__, given["names"])),
            "literals": list(map(constants.__getitem__, given["literals"])),
            "spans": list(map(partial(tuple.__new__, Span), zip(spans, spans, spans, spans))),
            "records": [],  # of the level below, as far as nothing holds them yet
        }
        self._letters = b""  # of these records
        self._defined: dict[str, list[int]] = {_LETTERS[made]: [] for made in _DEFINING}

    def level(self, letters: bytes) -> None:
        """Make the records of a level, of all those below them."""
        made = {letter: self._made(chr(letter), letters.count(letter)) for letter in sorted(set(letters), reverse=True)}
        records = self._values["records"]
        if records:
            raise MalformedError("records belong to nothing")
        if len(made) == 1:
            records += made[letters[0]]
        else:
            sources = {letter: iter(column) for letter, column in made.items()}
            records += map(next, map(sources.__getitem__, letters))
        self._letters = letters

    def _made(self, letter: str, count: int) -> Iterable[Any]:
        if letter == _NONE:
            return repeat(None, count)
        if letter == _LETTERS[Unknown]:
            return repeat(UNKNOWN, count)
        columns = [self._column(field, count) for field in reversed(_SCHEMA[letter])]
        columns.reverse()
        if letter in self._defined:
            self._defined[letter] += columns[0]
        return list(map(partial(tuple.__new__, _TYPES[letter]), zip(*columns)))

    def _column(self, field: _Field, count: int) -> Iterable[Any]:
        counts = None
        if field.several:
            counts = self._taken("counts", count)
            count = sum(counts)
        values = self._values[field.sort]
        start = len(values) - count
        if field.letters and self._letters[max(start, 0) : len(values)].translate(None, field.letters):
            raise MalformedError("a record stands where it cannot be")
        found = self._taken(field.sort, count)
        return found if counts is None else map(tuple, map(islice, repeat(iter(found)), counts))

    def _taken(self, sort: str, count: int) -> list[Any]:
        values = self._values[sort]
        start = len(values) - count
        if start < 0:
            raise MalformedError("something is missing")
        found = values[start:]
        del values[start:]
        return found

    def end(self) -> ModuleFacts:
        """The module; nothing may be left over."""
        module: ModuleFacts
        (module,) = self._values.pop("records")
        if any(self._values.values()):
            raise MalformedError("something is left over")
        functions, lambdas, classes = self._defined.values()
        if not (_fit(module) and _once(functions + lambdas, module.functions[1:]) and _once(classes, module.classes)):
            raise MalformedError("functions and classes do not fit together")
        return module


def _fit(module: ModuleFacts) -> bool:
    """Whether functions and classes lie in each other as those of a program do: what is inside has the higher number."""
    functions, classes = module.functions, module.classes
    return (
        [function.number for function in functions] == list(range(len(functions)))
        and [cls.number for cls in classes] == list(range(len(classes)))
        and functions[0].parent == functions[0].cls == -1
        and all(0 <= function.parent < function.number for function in functions[1:])
        and all(-1 <= function.cls < len(classes) for function in functions)
        and all(0 <= cls.parent < len(functions) for cls in classes)
        and all(classes[function.cls].parent < function.number for function in functions if function.cls >= 0)
        and all(0 < number < len(functions) for cls in classes for number in cls.methods)
    )


def _once(numbers: list[int], definitions: Sequence[Function | Class]) -> bool:
    """Whether no definition stands at two places."""
    return len(numbers) == len(set(numbers)) and set(numbers) <= {definition.number for definition in definitions}


def _list(data: dict[str, Any], key: str, types: set[type[Any]]) -> list[Any]:
    values = data[key]
    if type(values) is not list or not set(map(type, values)) <= types:
        raise MalformedError(f"`{key}` is not what it should be")
    return values


def loads(text: str | bytes) -> ModuleFacts:
    """The facts that ``dumps`` has written. Raises ``MalformedError`` for anything else.

    Bounded in time and memory by the length of the text.
    """
    try:
        data = json.loads(text)
        levels = _list(data, "levels", {str})
        if len(levels) > MAX_LEVELS or levels[0] != _LETTERS[ModuleFacts]:
            raise MalformedError("no module at the top, or too many levels")
        reader = _Reader(data)
        for letters in reversed(levels):
            reader.level(letters.encode("ascii"))
        return reader.end()
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise error if isinstance(error, MalformedError) else MalformedError(f"not facts ({error})") from error
