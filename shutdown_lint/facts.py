"""The intermediate representation: what a module says, without a single LibCST node.

Every record is a ``NamedTuple`` of numbers, strings, ``None`` and further records, so that a module's facts can be
compared, sent to another process and written as JSON. Lines and columns are 1-based; columns count code points; ends
are exclusive (as in the JSON output of ruff).

The representation keeps the statements of a module in their order and nesting, and of the expressions what an analysis
of shutdown can use: names, attributes, calls, awaits, lambdas, short constants. What it cannot use (arithmetic, long
literals, formatting) is lowered to ``UNKNOWN``, or to an ``Op`` that keeps only its operands. ``pass`` and docstrings
leave nothing: an empty body is an empty tuple.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias, Union

# A record costs half as much when it is made without the Python function that is a ``NamedTuple``'s own ``__new__``:
# for the commonest ones, ``make(Span, (line, col, end_line, end_col))``.
make = tuple.__new__


class Span(NamedTuple):
    """A range of source text: 1-based lines and code point columns, end exclusive."""

    line: int
    col: int
    end_line: int
    end_col: int


NO_SPAN = Span(1, 1, 1, 1)


# --- expressions -----------------------------------------------------------------------------------------------------


class Unknown(NamedTuple):
    """An expression that no rule can use."""


UNKNOWN = Unknown()


class Name(NamedTuple):
    """A bare identifier, NFKC-normalised as CPython does."""

    id: str


class Attr(NamedTuple):
    """``value.name``."""

    value: Expr
    name: str


class Const(NamedTuple):
    """A string (of at most 200 characters), number, boolean or ``None`` literal."""

    value: str | int | float | bool | None


class Arg(NamedTuple):
    """One argument of a call; ``star`` is ``""``, ``"*"`` or ``"**"``."""

    value: Expr
    keyword: str | None
    star: str


class Call(NamedTuple):
    """``func(*args)``; also a class decorator's or base's call."""

    func: Expr
    args: tuple[Arg, ...]
    span: Span


class Await(NamedTuple):
    """``await value``."""

    value: Expr
    span: Span


class Yield(NamedTuple):
    """``yield value`` or ``yield from value``."""

    value: Expr
    is_from: bool


class Lambda(NamedTuple):
    """A lambda: its body is ``ModuleFacts.functions[function]``."""

    function: int
    span: Span


class Op(NamedTuple):
    """An operator: ``and or not == != < <= > >= is is-not in not-in + - | if`` (``if``: test, body, orelse), or ``?`` for any other."""

    op: str
    operands: tuple[Expr, ...]


class Seq(NamedTuple):
    """A display: kind ``tuple``, ``list``, ``set``, ``dict`` (keys and values alternate; ``**x`` is a ``Star``) or ``fstring``."""

    kind: str
    items: tuple[Expr, ...]


class Subscript(NamedTuple):
    """``value[index]``; slices have an ``UNKNOWN`` key."""

    value: Expr
    key: Expr


class Clause(NamedTuple):
    """``for target in iter if …`` of a comprehension."""

    target: Expr
    iter: Expr
    ifs: tuple[Expr, ...]
    is_async: bool


class Comp(NamedTuple):
    """A comprehension: kind ``list``, ``set``, ``dict`` or ``generator``; a dict's elements are key and value."""

    kind: str
    elements: tuple[Expr, ...]
    clauses: tuple[Clause, ...]


class Star(NamedTuple):
    """``*value`` or ``**value`` in a display."""

    value: Expr


class Walrus(NamedTuple):
    """``target := value``."""

    target: Name
    value: Expr


Expr: TypeAlias = Union[Unknown, Name, Attr, Const, Call, Await, Yield, Lambda, Op, Seq, Subscript, Comp, Star, Walrus]


# --- statements ------------------------------------------------------------------------------------------------------


class Assign(NamedTuple):
    """``targets = value``; ``op`` is ``"="``, or ``"+="`` and the like; ``value`` is None for a bare annotation."""

    targets: tuple[Expr, ...]
    value: Expr | None
    annotation: Expr | None
    op: str
    span: Span


class ExprStmt(NamedTuple):
    """An expression whose result is dropped."""

    value: Expr
    span: Span


class Return(NamedTuple):
    """``return value``; a lambda's body is one too."""

    value: Expr | None
    span: Span


class Raise(NamedTuple):
    """``raise exc from cause``; a bare ``raise`` has ``exc`` None."""

    exc: Expr | None
    cause: Expr | None
    span: Span


class Break(NamedTuple):
    """``break``."""

    span: Span


class Continue(NamedTuple):
    """``continue``."""

    span: Span


class If(NamedTuple):
    """``if``; an ``elif`` is an ``If`` alone in ``orelse``."""

    test: Expr
    body: Body
    orelse: Body
    span: Span


class While(NamedTuple):
    """``while``; the span is the whole statement's."""

    test: Expr
    body: Body
    orelse: Body
    span: Span


class For(NamedTuple):
    """``for target in iter`` or ``async for``."""

    target: Expr
    iter: Expr
    body: Body
    orelse: Body
    is_async: bool
    span: Span


class Handler(NamedTuple):
    """``except types as name``; a bare ``except`` has ``types`` None; a tuple of types is a ``Seq``."""

    types: Expr | None
    name: str | None
    body: Body
    span: Span


class Try(NamedTuple):
    """``try``; ``is_star`` for ``except*``."""

    body: Body
    handlers: tuple[Handler, ...]
    orelse: Body
    final: Body
    is_star: bool
    span: Span


class WithItem(NamedTuple):
    """``context as target``; the span is the context expression's."""

    context: Expr
    target: Expr | None
    span: Span


class With(NamedTuple):
    """``with`` or ``async with``."""

    items: tuple[WithItem, ...]
    body: Body
    is_async: bool
    span: Span


class FunctionDef(NamedTuple):
    """Where ``ModuleFacts.functions[function]`` is defined."""

    function: int
    span: Span


class ClassDef(NamedTuple):
    """Where ``ModuleFacts.classes[cls]`` is defined."""

    cls: int
    span: Span


class ImportName(NamedTuple):
    """One binding of an import: ``local`` is bound to ``module`` (or to attribute ``name`` of it).

    ``import a.b`` binds ``a`` to module ``a`` and also loads ``a.b``; ``from m import *`` has name ``*``.
    ``level`` counts the leading dots.
    """

    local: str
    module: str
    name: str | None
    level: int


class Import(NamedTuple):
    """``import`` or ``from … import``."""

    names: tuple[ImportName, ...]
    span: Span


class ScopeDecl(NamedTuple):
    """``global`` or ``nonlocal``."""

    kind: str
    names: tuple[str, ...]


class Delete(NamedTuple):
    """``del targets``."""

    targets: tuple[Expr, ...]
    span: Span


class Assert(NamedTuple):
    """``assert test``."""

    test: Expr
    span: Span


class Case(NamedTuple):
    """One ``case``: the names its pattern binds, its guard; ``irrefutable`` for ``case _`` and ``case name``."""

    binds: tuple[str, ...]
    guard: Expr | None
    irrefutable: bool
    body: Body


class Match(NamedTuple):
    """``match``."""

    subject: Expr
    cases: tuple[Case, ...]
    span: Span


Stmt: TypeAlias = Union[
    Assign,
    ExprStmt,
    Return,
    Raise,
    Break,
    Continue,
    If,
    While,
    For,
    Try,
    With,
    FunctionDef,
    ClassDef,
    Import,
    ScopeDecl,
    Delete,
    Assert,
    Match,
]
Body: TypeAlias = tuple[Stmt, ...]


# --- definitions -----------------------------------------------------------------------------------------------------


class Param(NamedTuple):
    """A parameter: kind ``positional-only``, ``positional``, ``keyword-only``, ``*`` or ``**``."""

    name: str
    kind: str
    default: Expr | None
    annotation: Expr | None


class Function(NamedTuple):
    """A function, a method, a lambda, or the module body (number 0, name ``<module>``).

    ``cls`` is the number of the class whose body holds the definition, ``parent`` the number of the function around it
    (the module body for a top-level one; -1 for the module body itself). ``span`` covers the name (a lambda: the
    expression), ``extent`` the whole definition.
    """

    number: int
    name: str
    qualname: str
    is_async: bool
    is_generator: bool
    is_lambda: bool
    params: tuple[Param, ...]
    decorators: tuple[Expr, ...]
    returns: Expr | None
    body: Body
    cls: int
    parent: int
    span: Span
    extent: Span


class Class(NamedTuple):
    """A class; ``methods`` are numbers of functions, the last definition of a name winning at lookup."""

    number: int
    name: str
    qualname: str
    bases: tuple[Expr, ...]
    keywords: tuple[Arg, ...]
    decorators: tuple[Expr, ...]
    body: Body
    methods: tuple[int, ...]
    parent: int
    span: Span
    extent: Span


class ModuleFacts(NamedTuple):
    """All that later stages know about one file.

    ``elsewhere`` tells of absolute imports by which name the project knows what they mean, where that is another one:
    ``helpers=scripts.helpers/app=services.mail.app/_vendor.wire=wire``. Whoever reads the file sets it, lowering knows nothing of it.
    """

    path: str
    name: str
    is_package: bool
    digest: str
    functions: tuple[Function, ...]
    classes: tuple[Class, ...]
    elsewhere: str = ""
