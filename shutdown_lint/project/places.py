"""Places: where an object rests, and what is done with it there.

A tracked object starts at one expression (its constructor call). From there it flows: into names, attributes and
containers, through arguments and returns. ``Tracker`` follows it and records every operation on it and every way by
which it leaves what we can see (an *escape*).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shutdown_lint.facts import (
    Assign,
    Attr,
    Await,
    Call,
    Comp,
    Delete,
    Expr,
    For,
    If,
    Name,
    Op,
    Param,
    Return,
    Seq,
    Star,
    Subscript,
    Unknown,
    Walrus,
    With,
    Yield,
)
from shutdown_lint.project.calls import Target
from shutdown_lint.project.handles import Cls, Fn
from shutdown_lint.project.scopes import Element, Value
from shutdown_lint.project.shown import names_read, only_shows
from shutdown_lint.project.tracks import Attribute, Local, Place, Track, Use
from shutdown_lint.project.values import Class, External, Instance
from shutdown_lint.walk import Site, same, unawaited

if TYPE_CHECKING:
    from shutdown_lint.project import Project

MAX_PLACES = 40
MAX_HOPS = 5
ADDERS = frozenset(
    {"append", "add", "insert", "appendleft", "put", "put_nowait", "setdefault", "push", "extend", "update", "register"}
)
_GETTERS = frozenset({"pop", "popleft", "get", "popitem", "get_nowait"})
_VIEWS = frozenset({"values", "items", "copy", "keys"})
_COPIERS = frozenset(
    {"list", "tuple", "set", "reversed", "sorted", "iter", "enumerate", "zip", "dict", "next", "filter", "map"}
)
# Iterators of pairs: the first item of a pair that comes from their arguments.
_PAIRING = {"enumerate": 1, "zip": 0}
_HARMLESS = frozenset(
    {"print", "repr", "str", "id", "len", "isinstance", "type", "bool", "hash", "hasattr", "callable", "issubclass"}
)


class Tracker:
    """Follows one object from the expression that makes it."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._places: dict[Place, None] = {}
        self._uses: list[Use] = []
        self._escapes: dict[str, None] = {}
        self._truncated = False
        self._made: tuple[Expr | None, int] = (None, -1)
        self._maker: Fn
        self._slots: dict[int, int] = {}

    def run(self, site: Site, fn: Fn, item: int = -1) -> Track:
        """The track of the object that the expression at ``site`` makes, or of an ``item`` of the tuple that it makes."""
        self._made, self._maker = (site.expr, item), fn
        self._flow(site, fn, None, False, 0)
        return Track(tuple(self._places), tuple(self._uses), tuple(self._escapes), self._truncated)

    # --- one expression: where does its value go? -----------------------------------------------------------------------

    def _flow(self, site: Site, fn: Fn, place: Place | None, contains: bool, hops: int) -> None:
        """The value of ``site.expr`` is the object (or, with ``contains``, a container of it)."""
        expr, parents = site.expr, site.parents
        for position, parent in enumerate(parents):
            here = Site(parent, site.at, parents[position + 1 :])
            if isinstance(parent, (Walrus, Star)) or (isinstance(parent, Op) and parent.op in ("or", "and", "if")):
                if isinstance(parent, Walrus):
                    if expr is parent.target:
                        return None
                    self._assigned(parent.target, site, fn, contains, hops)
                if isinstance(parent, Op) and parent.op == "if" and expr is parent.operands[0]:
                    return self._use("test", "", site, fn, place)
            elif isinstance(parent, Await):
                self._use("await", "", here, fn, place)
            elif isinstance(parent, Seq):
                self._note_slot(expr, parent, position, parents)
                contains = True
            elif isinstance(parent, Subscript):
                if expr is not parent.value:
                    stored = isinstance(site.at.stmt, Assign) and any(parent is t for t in site.at.stmt.targets)
                    return self._escape("kept as a key") if stored else None
                contains = contains and isinstance(parent.key, Unknown)  # `self.workers[:]` holds them too
            elif isinstance(parent, Op) and parent.op in ("+", "|") and contains:
                pass  # `self.workers + [self.watcher]`, `self.busy | self.idle`
            elif isinstance(parent, Comp):
                if not any(expr is element for element in parent.elements):
                    return self._comprehension(expr, parent, fn, contains, hops)
                contains = True
            elif isinstance(parent, Attr):
                return self._attribute(parent, here, fn, place, contains, hops)
            elif isinstance(parent, Call):
                if expr is parent.func:
                    return None
                return self._passed(expr, here, fn, place, contains, hops)
            elif isinstance(parent, Yield):
                return self._returned(site, fn, contains, hops)
            elif isinstance(parent, Op):
                return self._use("test", "", site, fn, place)
            else:
                return self._escape("an expression")
            expr = parent
        self._at_statement(expr, site, fn, place, contains, hops)

    def _at_statement(self, expr: Expr, site: Site, fn: Fn, place: Place | None, contains: bool, hops: int) -> None:
        stmt = site.at.stmt
        if isinstance(stmt, Assign):
            if expr is stmt.value:
                for target in stmt.targets:
                    self._assigned(target, site, fn, contains, hops)
            # as a target the name is rebound, which is no use of the object
        elif isinstance(stmt, Return):
            if "property" in fn.decorator_names and not self._is_kept(place):
                return self._escape(f"made anew at each read of `{fn.qualname}`")
            self._returned(site, fn, contains, hops)
        elif isinstance(stmt, With):
            for item in stmt.items:
                if item.context is expr:
                    self._use("with", "", site, fn, place)
                    if item.target is not None:
                        self._assigned(item.target, site, fn, contains, hops)
        elif isinstance(stmt, For) and expr is stmt.iter:
            self._iterated(self._slot(stmt.target, expr), site, fn, contains, hops)
        elif isinstance(stmt, Delete):
            self._use("delete", "", site, fn, place)
        else:
            self._use("test", "", site, fn, place)

    # --- kinds of flow ---------------------------------------------------------------------------------------------------

    def _use(self, kind: str, name: str, site: Site, fn: Fn, place: Place | None) -> None:
        self._uses.append(Use(kind, name, site, fn, place))

    def _escape(self, why: str) -> None:
        self._escapes[why] = None

    def _attribute(self, attr: Attr, here: Site, fn: Fn, place: Place | None, contains: bool, hops: int) -> None:
        """``object.name``: a method call, an attribute, or an operation of the container that holds it."""
        called = bool(here.parents) and isinstance(here.parents[0], Call) and here.parents[0].func is attr
        if contains:
            self._container_operation(attr, here, fn, called, hops)
        elif called:
            call = here.parents[0]
            self._use("method", attr.name, Site(call, here.at, here.parents[1:]), fn, place)
        elif isinstance(here.at.stmt, Assign) and any(attr is target for target in here.at.stmt.targets):
            self._use("write", attr.name, here, fn, place)
        else:
            self._use("read", attr.name, here, fn, place)

    def _container_operation(self, attr: Attr, here: Site, fn: Fn, called: bool, hops: int) -> None:
        if not called:
            return
        result = Site(here.parents[0], here.at, here.parents[1:])
        if attr.name in _GETTERS:
            self._flow(result, fn, None, False, hops)
        elif attr.name in _VIEWS:
            self._flow(result, fn, None, True, hops)

    def _passed(self, expr: Expr, here: Site, fn: Fn, place: Place | None, contains: bool, hops: int) -> None:
        """The object is an argument of the call at ``here``."""
        call = here.call
        func = call.func
        if isinstance(func, Attr) and func.name in ADDERS and self._into_container(func, here, fn, hops):
            return None
        if isinstance(func, Name) and func.id in _HARMLESS:
            return self._use("test", func.id, here, fn, place)
        if isinstance(func, Name) and func.id in _COPIERS:
            if func.id in _PAIRING:
                self._slots[id(call)] = _PAIRING[func.id] + (_position(expr, call) if func.id == "zip" else 0)
            return self._flow(here, fn, None, contains, hops)
        if self._to_project(expr, here, fn, contains, hops):
            return None
        names = self._project.calls.external(call, fn)
        known = next((name for name in names if name in self._project.models.handled), None)
        if known is not None:
            return self._use("method", known, here, fn, place)
        if "contextlib.closing" in names or (
            isinstance(func, Attr) and func.name in ("enter_context", "enter_async_context")
        ):
            self._use("with", "", here, fn, place)
            return self._flow(here, fn, place, contains, hops)
        self._escape(f"handed to `{names[0] if names else _name(func)}`")

    def _into_container(self, func: Attr, here: Site, fn: Fn, hops: int) -> bool:
        """``box.append(object)``: the box is a container, unless it is an instance with a method of that name."""
        values = self._project.evaluate.values(func.value, fn)
        if any(isinstance(v, Instance) and isinstance(v.cls, Cls) for v in values):
            return False
        if any(isinstance(v, (External, Instance)) and not _is_collection(v) for v in values):
            return False
        self._store(func.value, here, fn, True, hops)
        return True

    def _to_project(self, expr: Expr, here: Site, fn: Fn, contains: bool, hops: int) -> bool:
        position = next(
            (n for n, arg in enumerate(here.call.args) if arg.value is expr or _inside(arg.value, expr)), None
        )
        targets = self._project.calls.targets(here.call, fn) or self._narrowed(here, fn)
        if position is None or not targets or here.call.args[position].star:
            return False
        for target in targets:
            param = self._project.calls.param_of(here.call, position, target.fn)
            if param is None:
                return False
            self._place(Local(target.fn, param.name, contains), hops + 1)
        return True

    def _narrowed(self, here: Site, fn: Fn) -> tuple[Target, ...]:
        """The method of an object of unknown type in the body of ``if isinstance(object, C)``."""
        func = here.call.func
        if not isinstance(func, Attr):
            return ()
        for place in here.at.around():
            test = place.outer.stmt.test if place.outer is not None and isinstance(place.outer.stmt, If) else None
            if (
                place.part == "body"
                and isinstance(test, Call)
                and len(test.args) == 2
                and _name(test.func) == "isinstance"
            ):
                if same(test.args[0].value, func.value):
                    values = self._project.evaluate.values(test.args[1].value, fn)
                    found = (self._project.classes.method(v.cls, func.name) for v in values if isinstance(v, Class))
                    return tuple(Target(method, "likely") for method in found if method is not None)
        return ()

    def _assigned(self, target: Expr, site: Site, fn: Fn, contains: bool, hops: int) -> None:
        if isinstance(target, (Seq, Star)):
            for item in self._parts(target, site.expr):
                self._assigned(item, site, fn, False, hops)
        elif isinstance(target, Subscript):
            self._store(target.value, site, fn, True, hops)
        else:
            self._store(target, site, fn, contains, hops)

    def _note_slot(self, expr: Expr, display: Seq, position: int, parents: tuple[Expr, ...]) -> None:
        """Which item of the tuple it is, where the tuple is all that the statement returns."""
        if display.kind == "tuple" and position == len(parents) - 1:
            item = next((n for n, part in enumerate(display.items) if part is expr), -1)
            if not any(isinstance(part, Star) for part in display.items[: item + 1]):
                self._slots[id(display)] = item

    def _parts(self, target: Seq | Star, value: Expr) -> tuple[Expr, ...]:
        """The parts of a target that may get the object: the one of its item, else each may be it, or a container of it."""
        if isinstance(target, Star):
            return (target.value,)
        made, item = self._made
        if value is not made:
            item = self._slots.get(id(value), -1)
        if 0 <= item < len(target.items) and not any(isinstance(t, Star) for t in target.items):
            return (target.items[item],)
        return target.items

    def _slot(self, target: Expr, iterable: Expr) -> Expr:
        """The part of ``for n, x in enumerate(xs)`` that gets the object."""
        slot = self._slots.get(id(iterable), -1)
        items = target.items if isinstance(target, Seq) else ()
        return items[slot] if 0 <= slot < len(items) and not any(isinstance(item, Star) for item in items) else target

    def _iterated(self, target: Expr, site: Site, fn: Fn, contains: bool, hops: int) -> None:
        if contains or self._is_tuple():
            self._assigned(target, site, fn, False, hops)

    def _is_tuple(self) -> bool:
        """Whether what is iterated over is a tuple of the objects: a descriptor by itself is a number (``os.pipe()``)."""
        call, _ = self._made
        model = self._project.resources.model_of(call, self._maker) if isinstance(call, Call) else None
        return model is not None and model.kind == "fd"

    def _comprehension(self, expr: Expr, comp: Comp, fn: Fn, contains: bool, hops: int) -> None:
        for clause in comp.clauses:
            if clause.iter is expr and (contains or self._is_tuple()):
                for target in clause.target.items if isinstance(clause.target, Seq) else (clause.target,):
                    if isinstance(target, Name):
                        self._place(Local(fn, target.id, False), hops)

    def _store(self, target: Expr, site: Site, fn: Fn, contains: bool, hops: int) -> None:
        """The object is put into the place that the target expression names."""
        if isinstance(target, Name):
            scope = self._project.evaluate.binding_scope(target.id, fn) or fn
            if contains and any(isinstance(b, (Element, Param)) for b in scope.bindings.get(target.id, ())):
                self._escape(f"stored in `{target.id}`, which comes from elsewhere")
            self._place(Local(scope, target.id, contains), hops)
            for expr in self._aliased(target.id, scope) if contains and hops < MAX_HOPS else ():
                self._store(expr, site, scope, True, hops + 1)
        elif isinstance(target, Attr):
            owners = [
                v.cls
                for v in self._project.evaluate.values(target.value, fn)
                if isinstance(v, (Instance, Class)) and isinstance(v.cls, Cls)
            ]
            for owner in owners:
                if self._has_setter(owner, target.name):
                    self._escape(f"given to the setter of `{target.name}`")
                if contains and self._is_shared(owner, target.name):
                    self._escape(f"stored in `{_name(target)}`, which comes from elsewhere")
                self._place(Attribute(owner, target.name, contains), hops)
            modules = self._modules(target.value, fn)
            for body in modules:
                self._place(Local(body, target.name, contains), hops)
            if not owners and not modules:
                self._escape(f"stored in `{_name(target)}`")
        elif isinstance(target, Subscript):
            self._store(target.value, site, fn, True, hops)
        elif (
            isinstance(target, Call)
            and isinstance(target.func, Attr)
            and target.func.name in ("setdefault", "get", "values")
        ):
            self._store(target.func.value, site, fn, True, hops)
        else:
            self._escape("stored in an unknown place")

    def _aliased(self, name: str, scope: Fn) -> Iterator[Expr]:
        """The containers that the name is another name of: ``loops = self._loops``."""
        for binding in scope.bindings.get(name, ()):
            if isinstance(binding, Value) and binding.item < 0 and isinstance(binding.expr, (Name, Attr)):
                yield binding.expr

    def _modules(self, expr: Expr, fn: Fn) -> tuple[Fn, ...]:
        """The bodies of the project's modules that the expression names: ``state.worker = Worker()``."""
        from shutdown_lint.project.values import Module

        names = (v.name for v in self._project.evaluate.values(expr, fn) if isinstance(v, Module))
        entries = (self._project.modules.entry(name) for name in names)
        return tuple(entry.body for entry in entries if entry is not None)

    def _has_setter(self, owner: Cls, name: str) -> bool:
        """Whether a property takes what is put into the attribute: where it rests is the setter's choice."""
        method = self._project.classes.method(owner, name)
        return method is not None and bool(method.decorator_names & {"property", "setter"})

    def _is_shared(self, owner: Cls, name: str) -> bool:
        """Whether the attribute may hold a container that somebody else made: ``self.tasks = state.tasks``."""
        writes = self._project.classes.writes(owner, name)
        return any(isinstance(write.value, (Attr, Name)) and write.item < 0 for write in writes)

    def _is_kept(self, place: Place | None) -> bool:
        """Whether what a property returns is more than a local of its own: a member, or stored as one before."""
        return place is not None and any(isinstance(found, Attribute) for found in (place, *self._places))

    def _returned(self, site: Site, fn: Fn, contains: bool, hops: int) -> None:
        """A property's value is the attribute; a factory's callers go on with the object; nobody known: it escapes."""
        if fn.decorator_names & {"property", "cached_property"} and fn.cls is not None:
            return self._place(Attribute(fn.cls, fn.name, contains), hops + 1)
        field = self._project.fields.filled_by(fn)
        if field is not None:
            return self._place(Attribute(field.cls, field.name, contains), hops + 1)
        callers = self._project.calls.callers(fn) if hops < MAX_HOPS else ()
        if not callers or (isinstance(site.at.stmt, Return) is False and not fn.facts.is_generator):
            return self._escape(f"returned by `{fn.qualname}`")
        returned = unawaited(site.at.stmt.value) if isinstance(site.at.stmt, Return) else None
        for caller in callers:
            if returned is not None and id(returned) in self._slots:
                self._slots[id(caller.site.expr)] = self._slots[id(returned)]
            self._flow(
                caller.site, caller.fn, None, contains or (fn.facts.is_generator and not fn.decorator_names), hops + 1
            )
        return None

    # --- places ------------------------------------------------------------------------------------------------------------

    def _place(self, place: Place, hops: int) -> None:
        if place in self._places:
            return
        if len(self._places) >= MAX_PLACES or hops > MAX_HOPS:
            self._truncated = True
            return
        self._places[place] = None
        found = self._local_sites(place) if isinstance(place, Local) else self._attribute_sites(place)
        for fn, site in found:
            self._flow(site, fn, place, place.contains, hops)

    def _local_sites(self, place: Local) -> Iterator[tuple[Fn, Site]]:
        """Every mention of the name in its function and the functions nested in it; a module's name is imported by others."""
        entry = self._project.modules.of(place.fn.module)
        for fn in entry.functions:
            if place.name in fn.mentions and self._project.evaluate.binding_scope(place.name, fn) is place.fn:
                yield from ((fn, site) for site in fn.names(place.name))
        if place.fn.is_module:
            yield from self._imported(place)

    def _imported(self, place: Local) -> Iterator[tuple[Fn, Site]]:
        module = place.fn.module.name
        for fn in self._project.calls.mentioning(place.name):
            if fn.module is not place.fn.module:
                for site in fn.attributes(place.name):
                    if isinstance(site.expr, Attr) and self._is_module(site.expr.value, fn, module):
                        yield fn, site
                yield from self._from_import(place, fn, module)

    def _from_import(self, place: Local, fn: Fn, module: str) -> Iterator[tuple[Fn, Site]]:
        from shutdown_lint.facts import ImportName
        from shutdown_lint.project.modules import absolute

        scope = self._project.evaluate.binding_scope(place.name, fn)
        bindings = scope.bindings.get(place.name, ()) if scope else ()
        if scope and any(
            isinstance(b, ImportName) and b.name == place.name and absolute(scope.module, b) == module for b in bindings
        ):
            yield from ((fn, site) for site in fn.names(place.name))

    def _is_module(self, expr: Expr, fn: Fn, module: str) -> bool:
        from shutdown_lint.project.values import Module

        return any(isinstance(v, Module) and v.name == module for v in self._project.evaluate.values(expr, fn))

    def _attribute_sites(self, place: Attribute) -> Iterator[tuple[Fn, Site]]:
        """Every ``….name`` whose receiver is an instance of the family, plus ``getattr(x, "name")``, which escapes."""
        family = set(self._project.classes.family(place.cls))
        for fn in self._project.calls.mentioning(place.name):
            for site in fn.attributes(place.name):
                if isinstance(site.expr, Attr) and self._belongs(site.expr.value, fn, family):
                    yield fn, site
        if self._by_string(place, family):
            self._escape(f"read by name `{place.name}`")

    def _belongs(self, receiver: Expr, fn: Fn, family: set[Cls]) -> bool:
        """Whether the expression is an instance of the family."""
        if isinstance(receiver, Name) and receiver.id == self._project.classes.self_name(fn):
            return self._project.classes.enclosing(fn) in family
        values = self._project.evaluate.values(receiver, fn)
        return any(isinstance(v, (Instance, Class)) and v.cls in family for v in values)

    def _by_string(self, place: Attribute, family: set[Cls]) -> bool:
        """Whether ``getattr(self, name)`` may read the attribute."""
        for fn, site in self._project.calls.named_within("getattr", family):
            if len(site.call.args) > 1:
                read, names = site.call.args[0].value, names_read(site.call.args[1].value, fn)
                if only_shows(fn) or (names is not None and place.name not in names):
                    continue
                if self._belongs(read, fn, family) and not _is_method_lookup(site, fn):
                    return True
        return False


def _is_method_lookup(site: Site, fn: Fn) -> bool:
    """Whether what ``getattr`` gives is called: then it is a method, and no object that rests in an attribute."""
    if site.parents:
        return isinstance(site.parents[0], Call) and site.parents[0].func is site.expr
    stmt = site.at.stmt
    if not isinstance(stmt, Assign) or len(stmt.targets) != 1 or not isinstance(stmt.targets[0], Name):
        return False
    name = stmt.targets[0].id
    return any(isinstance(call.call.func, Name) and call.call.func.id == name for call in fn.sites)


def _inside(container: Expr, expr: Expr) -> bool:
    """Whether ``expr`` is the value of ``container`` by way of ``or``, ``if`` or a display."""
    from shutdown_lint.walk import subexprs

    return any(part is expr for part in subexprs(container))


def _position(expr: Expr, call: Call) -> int:
    """The number of the argument that is, or holds, the expression."""
    return next((n for n, arg in enumerate(call.args) if arg.value is expr or _inside(arg.value, expr)), 0)


def _is_collection(value: External | Instance) -> bool:
    name = value.name if isinstance(value, External) else value.cls
    return isinstance(name, str) and name.rpartition(".")[2] in (
        "list",
        "set",
        "dict",
        "deque",
        "WeakSet",
        "defaultdict",
        "OrderedDict",
        "Queue",
        "SimpleQueue",
        "WeakValueDictionary",
        "WeakKeyDictionary",
        "LifoQueue",
        "PriorityQueue",
    )


def _name(expr: Expr) -> str:
    from shutdown_lint.walk import text

    return text(expr)


__all__ = ["Attribute", "Local", "Place", "Track", "Tracker", "Use", "same"]
