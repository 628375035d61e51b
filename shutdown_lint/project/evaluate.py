"""Evaluation of expressions to abstract values: names, imports, attributes, calls, factories, annotations.

Flow-insensitive: a name has all the values that are ever assigned to it. Bounded: a value that would need more than
``MAX_DEPTH`` steps, or more than ``MAX_VALUES`` alternatives, is unknown (no values at all). Never a guess.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from shutdown_lint.facts import (
    Attr,
    Await,
    Call,
    Comp,
    Const,
    Expr,
    ImportName,
    Lambda,
    Name,
    Op,
    Param,
    Seq,
    Star,
    Subscript,
    Walrus,
)
from shutdown_lint.project import scopes
from shutdown_lint.project.handles import Cls, Fn
from shutdown_lint.project.modules import absolute, elsewhere, taken
from shutdown_lint.project.quoted import quoted
from shutdown_lint.project.values import (
    NOTHING,
    Class,
    Constant,
    Container,
    Coroutine,
    External,
    Function,
    Instance,
    Module,
    Partial,
    Super,
    Value,
    Values,
)
from shutdown_lint.walk import yields

if TYPE_CHECKING:
    from shutdown_lint.project import Project

MAX_DEPTH = 20
MAX_VALUES = 12
_BUILTINS = frozenset(dir(builtins))
_ITERATORS = frozenset(
    {
        "builtins.list",
        "builtins.tuple",
        "builtins.set",
        "builtins.reversed",
        "builtins.sorted",
        "builtins.iter",
        "builtins.frozenset",
    }
)
_ELEMENT_METHODS = frozenset({"values", "copy", "union"})
# The name of a namespace package around the project, which `import space.app.tools` binds; one more for each below it.
_NAMESPACE = "."
_POP_METHODS = frozenset({"pop", "popleft", "get", "get_nowait", "setdefault"})


class Evaluator:
    """Evaluates expressions of one project; every answer is remembered."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._memo: dict[tuple[int | str, Fn], Values] = {}
        self._quoted: dict[str, Expr | None] = {}
        self._partial: dict[tuple[int | str, Fn], Values] = {}
        self._depth = 0
        self._cut = False

    def values(self, expr: Expr | None, fn: Fn) -> Values:
        """What ``expr``, written in ``fn``, may evaluate to; empty where nothing is known."""
        if expr is None:
            return NOTHING
        if isinstance(expr, Name):
            return self.name(expr.id, fn)
        key = (id(expr), fn)
        known = self._memo.get(key)
        return known if known is not None else self._remembered(key, lambda: self._compute(expr, fn))

    def name(self, name: str, fn: Fn) -> Values:
        """What a bare name in ``fn`` stands for."""
        known = self._memo.get((name, fn))
        return known if known is not None else self._remembered((name, fn), lambda: self._lookup(name, fn))

    def _remembered(self, key: tuple[int | str, Fn], compute: Callable[[], Iterable[Value]]) -> Values:
        """The answer for the key. What was found while a cycle or the depth bound cut something off holds for this query only."""
        known = self._memo.get(key)
        if known is None:
            known = self._partial.get(key)
            self._cut = self._cut or known is not None
        if known is not None:
            return known
        if self._depth >= MAX_DEPTH:
            self._cut = True
            return NOTHING
        self._partial[key] = NOTHING  # a cycle ends here
        before, self._cut = self._cut, False
        self._depth += 1
        try:
            found = _unique(compute())
        finally:
            self._depth -= 1
        self._partial[key] = found
        if not self._cut or not self._depth:
            self._memo[key] = found
        self._cut = before or self._cut
        if not self._depth:
            self._partial.clear()
            self._cut = False
        return found

    def completed(self, compute: Callable[[], Values]) -> tuple[Values, bool]:
        """What is computed, and whether it may be kept: no cycle or bound that began further out cut something off."""
        before, self._cut = self._cut, False
        found = compute()
        whole = not self._cut
        self._cut = before or self._cut
        return found, whole

    # --- names ---------------------------------------------------------------------------------------------------------

    def _lookup(self, name: str, fn: Fn) -> Iterable[Value]:
        scope = self.binding_scope(name, fn)
        if scope is None:
            return (External(f"builtins.{name}"),) if name in _BUILTINS else self._star(name, fn)
        return self._bound(name, scope)

    def binding_scope(self, name: str, fn: Fn) -> Fn | None:
        """The function (or module body) in which the name is bound, by Python's scoping; None for builtins and unknown names."""
        scope: Fn | None = fn
        if fn.declared.get(name) == "global":
            return self._project.modules.of(fn.module).body
        while scope is not None:
            here = scope.declared.get(name)
            if here is None and (
                name in scope.bindings or self._project.modules.of(scope.module).defined(scope.facts.number, name)
            ):
                return scope
            scope = scope.parent
        return None

    def _bound(self, name: str, scope: Fn) -> Iterable[Value]:
        found: list[Value] = []
        for definition in self._project.modules.of(scope.module).defined(scope.facts.number, name):
            found.append(Function(definition) if isinstance(definition, Fn) else Class(definition))
        for binding in scope.bindings.get(name, ()):
            found += self._binding(binding, scope)
        if scope.is_module:
            found += self._written_globally(name, scope)
        return found

    def _written_globally(self, name: str, scope: Fn) -> Iterable[Value]:
        """A module global may be assigned by a function that declares it ``global``."""
        for fn in self._project.modules.of(scope.module).writers.get(name, ()):
            for binding in fn.bindings.get(name, ()):
                yield from self._binding(binding, fn)

    def _star(self, name: str, fn: Fn) -> Iterable[Value]:
        for binding in self._project.modules.of(fn.module).body.bindings.get("*", ()):
            if isinstance(binding, ImportName):
                yield from self.member(absolute(fn.module, binding), name)

    def _binding(self, binding: scopes.Binding, fn: Fn) -> Values:
        if isinstance(binding, scopes.Value):
            return self._item(self.values(binding.expr, fn), binding.item, binding.expr, fn)
        if isinstance(binding, ImportName):
            return self._imported(binding, fn)
        if isinstance(binding, Param):
            return self._param(binding, fn)
        if isinstance(binding, scopes.Element):
            return self._item(self.elements(self.values(binding.iter, fn)), binding.item, None, fn)
        if isinstance(binding, scopes.Entered):
            return self._item(self.entered(self.values(binding.context, fn)), binding.item, None, fn)
        if isinstance(binding, scopes.Typed):
            return self.annotated(binding.annotation, fn)
        if isinstance(binding, scopes.Caught) and binding.types is not None:
            return tuple(
                _instance(value) for value in self.values(binding.types, fn) if isinstance(value, (Class, External))
            )
        return NOTHING

    def _item(self, values: Values, item: int, expr: Expr | None, fn: Fn) -> Values:
        if item < 0:
            return values
        if isinstance(expr, Seq) and item < len(expr.items) and not any(isinstance(e, Star) for e in expr.items):
            return self.values(expr.items[item], fn)
        found: list[Value] = []
        for value in values:
            if isinstance(value, Container) and item < len(value.elements):
                found.append(value.elements[item])
        return tuple(found)

    def _imported(self, name: ImportName, fn: Fn) -> Values:
        module = absolute(fn.module, name)
        around = name.module.count(".") - module.count(".") if name.name is None and not name.level else 0
        if around <= 0 and name.name is None and elsewhere(fn.module, name):
            # `import app.db` binds `app`, whatever the project calls it
            below = name.module.count(".") if name.local == name.module.partition(".")[0] else 0
            return self._module(module.rsplit(".", below)[0] if below else module)
        package = taken(fn.module, name)
        if package:
            return self._module(package)
        if around and name.local == name.module.partition(".")[0]:
            return (Module(_NAMESPACE * around),)
        if name.name is None:
            return self._module(module if name.local != module.partition(".")[0] or "." not in module else name.local)
        return self.member(module, name.name)

    def _module(self, name: str) -> Values:
        return (Module(name),) if self._project.owns(name) else (External(name),)

    def member(self, module: str, name: str) -> Values:
        """What ``module.name`` is, through re-exports."""
        if not self._project.owns(module):
            return (External(f"{module}.{name}"),)
        entry = self._project.modules.entry(module)
        if entry is not None:
            if name in entry.body.bindings or entry.defined(0, name):
                found = self.name(name, entry.body)
                if found or self._project.modules.entry(f"{module}.{name}") is None:
                    return found
        if self._project.modules.entry(f"{module}.{name}") is not None:
            return (Module(f"{module}.{name}"),)
        if entry is None:
            return NOTHING
        # remembered, as modules may import everything from each other in a circle
        return self._remembered((f"*{name}", entry.body), lambda: self._star(name, entry.body))

    def _param(self, param: Param, fn: Fn) -> Values:
        if fn.is_method and fn.facts.params[0] is param and fn.cls is not None:
            return (Class(fn.cls),) if "classmethod" in fn.decorator_names else (Instance(fn.cls),)
        if param.kind in ("*", "**"):
            return NOTHING
        if param.annotation is not None:
            found = self.annotated(param.annotation, fn.parent or fn)
            if found:
                return found
        return (*self._project.calls.argument_values(fn, param), *self.values(param.default, fn.parent or fn))

    # --- annotations ---------------------------------------------------------------------------------------------------

    def annotated(self, annotation: Expr | None, fn: Fn) -> Values:
        """The instances that an annotation promises: ``X``, ``"X"``, ``X | None``, ``Optional[X]``, ``list[X]``."""
        if isinstance(annotation, Const) and isinstance(annotation.value, str):
            # kept: what is remembered about an expression is found again by its identity
            if annotation.value not in self._quoted:
                self._quoted[annotation.value] = quoted(annotation.value)
            return self.annotated(self._quoted[annotation.value], fn)
        if isinstance(annotation, Subscript):
            return self._generic(annotation, fn)
        if isinstance(annotation, (Name, Attr)):
            return tuple(
                _instance(v) for v in self.values(annotation, fn) if isinstance(v, (Class, External)) and _is_type(v)
            )
        if isinstance(annotation, Op) and annotation.op == "|":
            return tuple(value for operand in annotation.operands for value in self.annotated(operand, fn))
        return NOTHING

    def _generic(self, annotation: Subscript, fn: Fn) -> Values:
        outer = next((v.name for v in self.values(annotation.value, fn) if isinstance(v, External)), "")
        last = outer.rpartition(".")[2]
        args = annotation.key.items if isinstance(annotation.key, Seq) else (annotation.key,)
        if last in ("Optional", "Union", "Annotated", "ClassVar", "Final"):
            return tuple(value for arg in args for value in self.annotated(arg, fn))
        if last in (
            "list",
            "List",
            "set",
            "Set",
            "tuple",
            "Tuple",
            "Sequence",
            "Iterable",
            "deque",
            "frozenset",
            "Collection",
        ):
            return (Container(tuple(value for arg in args for value in self.annotated(arg, fn))),)
        if last in ("dict", "Dict", "Mapping", "MutableMapping", "defaultdict") and len(args) == 2:
            return (Container(self.annotated(args[1], fn)),)
        return tuple(
            _instance(v) for v in self.values(annotation.value, fn) if isinstance(v, (Class, External)) and _is_type(v)
        )

    # --- expressions ---------------------------------------------------------------------------------------------------

    def _compute(self, expr: Expr, fn: Fn) -> Iterable[Value]:
        if isinstance(expr, Name):
            return self.name(expr.id, fn)
        if isinstance(expr, Const):
            return (Constant(expr.value),)
        if isinstance(expr, Attr):
            return [v for base in self.values(expr.value, fn) for v in self.attribute(base, expr.name)]
        if isinstance(expr, Call):
            return self._call(expr, fn)
        if isinstance(expr, Await):
            return [v for value in self.values(expr.value, fn) for v in self._awaited(value)]
        if isinstance(expr, Walrus):
            return self.values(expr.value, fn)
        if isinstance(expr, Lambda):
            return (Function(self._project.modules.of(fn.module).functions[expr.function]),)
        if isinstance(expr, Op) and expr.op == "+":
            return (Container(joined),) if (joined := _unique(self._joined(expr, fn))) else NOTHING
        if isinstance(expr, Op):
            operands = expr.operands[1:] if expr.op == "if" else expr.operands if expr.op in ("and", "or") else ()
            return [v for operand in operands for v in self.values(operand, fn)]
        if isinstance(expr, Seq) and expr.kind != "fstring":
            return (Container(_unique(self._display(expr, fn))),)
        if isinstance(expr, Comp):
            return (Container(_unique(v for v in self.values(expr.elements[-1], fn))),)
        if isinstance(expr, Subscript):
            return self._subscript(expr, fn)
        return NOTHING

    def _display(self, expr: Seq, fn: Fn) -> Iterable[Value]:
        items = (
            expr.items[1::2] if expr.kind == "dict" and not any(isinstance(i, Star) for i in expr.items) else expr.items
        )
        for item in items:
            if isinstance(item, Star):
                yield from self.elements(self.values(item.value, fn))
            else:
                yield from self.values(item, fn)

    def _joined(self, expr: Op, fn: Fn) -> Iterable[Value]:
        """The elements of ``self.workers + [self.watcher]``."""
        for operand in expr.operands:
            yield from self.elements(self.values(operand, fn))

    def _subscript(self, expr: Subscript, fn: Fn) -> Iterable[Value]:
        if isinstance(expr.value, Seq) and isinstance(expr.key, Const) and isinstance(expr.key.value, int):
            return self._item((), expr.key.value, expr.value, fn)
        values = self.values(expr.value, fn)
        return [*self.elements(values), *(v for v in values if isinstance(v, Class))]  # Class[T] is the class

    def elements(self, values: Values) -> Values:
        """The elements of the containers among the values."""
        return tuple(element for value in values if isinstance(value, Container) for element in value.elements)

    def entered(self, values: Values) -> Values:
        """What ``with value as x`` binds."""
        return tuple(found for value in values for found in self._entered(value))

    def _entered(self, value: Value) -> Values:
        if isinstance(value, Instance) and isinstance(value.cls, Cls):
            for name in ("__enter__", "__aenter__"):
                method = self._project.classes.method(value.cls, name)
                if method is not None:
                    return self.returned(method) or (value,)
        if (
            isinstance(value, Instance)
            and value.cls == "contextlib.closing"
            and value.call is not None
            and value.fn is not None
        ):
            return self.values(value.call.args[0].value, value.fn) if value.call.args else NOTHING
        return (value,) if isinstance(value, Instance) else NOTHING

    def _awaited(self, value: Value) -> Values:
        if isinstance(value, Coroutine):
            return self.returned(value.fn)
        return (value,)

    def returned(self, fn: Fn) -> Values:
        """What a function may return (a coroutine function: when awaited; a contextmanager: what it yields)."""
        if fn.facts.is_generator:
            return (
                self._yielded(fn)
                if fn.decorator_names & {"contextmanager", "asynccontextmanager", "fixture"}
                else NOTHING
            )
        found = _unique(v for value in fn.returns for v in self.values(value, fn))
        return found or self.annotated(fn.facts.returns, fn.parent or fn)

    def _yielded(self, fn: Fn) -> Values:
        given = (expr for at in fn.statements for expr in yields(at))
        return _unique(v for expr in given for v in self.values(expr.value, fn))

    # --- calls ---------------------------------------------------------------------------------------------------------

    def _call(self, call: Call, fn: Fn) -> Iterable[Value]:
        if isinstance(call.func, Name) and call.func.id == "super":
            owner = _owner(fn)
            return (Super(owner),) if owner is not None else NOTHING
        if isinstance(call.func, Attr) and call.func.name in _ELEMENT_METHODS | _POP_METHODS | {"items"}:
            found = self._container_method(call.func, fn)
            if found:
                return found
        return [v for value in self.values(call.func, fn) for v in self._called(value, call, fn)]

    def _container_method(self, func: Attr, fn: Fn) -> Values:
        containers = tuple(v for v in self.values(func.value, fn) if isinstance(v, Container))
        if func.name in _POP_METHODS:
            return self.elements(containers)
        if func.name == "items":
            return tuple(Container((Container((Constant(None), element)),)) for element in self.elements(containers))
        return containers

    def _called(self, value: Value, call: Call, fn: Fn) -> Iterable[Value]:
        if isinstance(value, Class):
            return (Instance(value.cls, call, fn),)
        if isinstance(value, Function):
            return self._result(value.fn)
        if isinstance(value, Partial):
            return self._called(value.func, call, fn)
        if isinstance(value, External):
            return self._external_result(value.name, call, fn)
        return NOTHING

    def _result(self, fn: Fn) -> Values:
        if fn.facts.is_generator:
            return self._yielded(fn) if fn.decorator_names & {"contextmanager", "asynccontextmanager"} else NOTHING
        return (Coroutine(fn),) if fn.facts.is_async else self.returned(fn)

    def _external_result(self, name: str, call: Call, fn: Fn) -> Values:
        if name in ("functools.partial", "functools.partialmethod"):
            return tuple(Partial(v, call, fn) for v in self.values(call.args[0].value, fn)) if call.args else NOTHING
        if name in _ITERATORS and call.args:
            return tuple(v for v in self.values(call.args[0].value, fn) if isinstance(v, Container))
        if name in ("asyncio.wait_for", "asyncio.shield") and call.args:
            return self.values(call.args[0].value, fn)
        result = self._project.models.result_of(name)
        if result is not None:
            made = Instance(result, call, fn)
            model = self._project.models.resources.get(result)
            item = model.item if model is not None else -1
            return (Container((*[Constant(None)] * item, made)),) if item >= 0 else (made,)
        if name in self._project.models.fields:
            factory = self.values(self._project.fields.factory(call, fn), fn)
            return tuple(v for value in factory for v in self._called(value, call, fn))
        return (Instance(name, call, fn),) if _looks_like_class(name) else NOTHING

    # --- attributes ----------------------------------------------------------------------------------------------------

    def attribute(self, base: Value, name: str) -> Values:
        """What ``base.name`` is."""
        if isinstance(base, Module) and base.name.startswith(_NAMESPACE):
            inner = base.name.removeprefix(_NAMESPACE)
            return (Module(inner or name),) if inner or self._project.owns(name) else NOTHING
        if isinstance(base, Module):
            return self.member(base.name, name)
        if isinstance(base, External):
            return (External(f"{base.name}.{name}"),)
        if isinstance(base, Super):
            return self._project.classes.super_attribute(base.cls, name)
        if isinstance(base, Class):
            return self._project.classes.attribute(base.cls, name, bound=False)
        if isinstance(base, Instance):
            if isinstance(base.cls, str):
                return (External(f"{base.cls}.{name}"),)
            return self._project.classes.attribute(base.cls, name, bound=True)
        return NOTHING


def _instance(value: Class | External) -> Instance:
    return Instance(value.cls if isinstance(value, Class) else value.name)


def _is_type(value: Class | External) -> bool:
    return isinstance(value, Class) or _looks_like_class(value.name)


def _looks_like_class(name: str) -> bool:
    """By PEP 8: the last part starts with a capital and is no constant."""
    last = name.rpartition(".")[2].lstrip("_")
    return last[:1].isupper() and not (last.isupper() and len(last) > 3)


def _owner(fn: Fn) -> Cls | None:
    scope: Fn | None = fn
    while scope is not None:
        if scope.cls is not None:
            return scope.cls
        scope = scope.parent
    return None


def _unique(values: Iterable[Value]) -> Values:
    found = tuple(values)
    if len(found) < 2:  # most are
        return found
    found = tuple(dict.fromkeys(found))
    return found if len(found) <= MAX_VALUES else NOTHING
