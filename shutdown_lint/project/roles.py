"""Roles: who runs a function. Seeds are registrations and entry points; a role flows along calls.

Roles: ``main``, ``thread``, ``timer``, ``pool-thread``, ``pool-process``, ``process``, ``signal-handler``,
``loop-signal-callback``, ``loop-callback``, ``done-callback``, ``atexit``, ``thread-atexit``, ``finalizer``,
``weakref-callback``, ``del``, ``task``, ``framework``, ``test``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.facts import Attr, Call, Const, Expr, If, Lambda, Name, Op
from shutdown_lint.findings import Confidence, Step
from shutdown_lint.models import Callback, Entry, is_standard
from shutdown_lint.project.handles import Cls, Fn
from shutdown_lint.project.values import Class, Coroutine, External, Function
from shutdown_lint.walk import Site, argument, dotted, last_name, text

if TYPE_CHECKING:
    from shutdown_lint.project import Project

_WORKERS = ("Thread", "Process")
MAX_DEPTH = 8
MAX_VISITED = 150
TEST_MODULE = re.compile(
    r"(^|\.)(tests?|testing|test_[^.]*|[^.]*_tests?|_?test(base|cases?|utils?|helpers?|lib|kit|tools?)|conftest)(\.|$)"
)


class Registration(NamedTuple):
    """A function handed to something that runs it later.

    ``callback`` is the model's row (its ``call`` and ``role``), ``argument`` the expression handed over, ``targets``
    the project functions that it stands for (none where it is unknown).
    """

    callback: Callback
    site: Site
    fn: Fn
    argument: Expr
    targets: tuple[Fn, ...]


class Role(NamedTuple):
    """A role of a function with the path that proves it: from the seed (registration or entry) to the last call."""

    kind: str
    steps: tuple[Step, ...]
    confidence: Confidence
    seed: Fn


class Roles:
    """Answers who runs a function."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._registrations: tuple[Registration, ...] | None = None
        self._seeds: dict[Fn, list[Role]] | None = None
        self.gathered = False  # whether ``seeds`` are all there: gathering them asks questions that ask for them
        self._seeded: set[int] = set()
        self._memo: dict[Fn, tuple[Role, ...]] = {}
        self._guards: dict[Fn, If | None] = {}
        self._methods: tuple[tuple[str, str, str], ...] | None = None

    # --- registrations -------------------------------------------------------------------------------------------------

    def registrations(self) -> tuple[Registration, ...]:
        """Every place of the loaded project that hands a function to something that runs it later."""
        if self._registrations is None:
            self._registrations = tuple(self._find_registrations())
        return self._registrations

    def _find_registrations(self) -> Iterator[Registration]:
        calls, models = self._project.calls, self._project.models
        names = [*models.callbacks, *(name for name, means in models.aliases.items() if means in models.callbacks)]
        standard = {name.rpartition(".")[2]: None for name in names if is_standard(name)}
        for last in standard:
            for fn, site in calls.calls_named(last):
                yield from self.at(site, fn)
        # names of other libraries' calls (`on`, `connect`) say little: they count where the library is imported
        others = {name.rpartition(".")[2]: None for name in names if calls.imports_package(name)}
        for last in others:
            for fn, site in calls.seen_named(last) if last not in standard else ():
                yield from self.at(site, fn)
        yield from self._subclass_constructions()
        yield from self._made_of_subclasses()

    def at(self, site: Site, fn: Fn) -> Iterator[Registration]:
        """The registrations that one call makes; a wrapper that passes a parameter on to a registrar is one itself."""
        for name in self._called_names(site.call, fn):
            for callback in self._project.models.callbacks.get(name, ()):
                given = argument(site.call, callback.position, callback.keyword or "\0")
                if given is not None:
                    yield Registration(callback, site, fn, given, self._targets(given, fn))

    def _called_names(self, call: Call, fn: Fn) -> tuple[str, ...]:
        """External names of the callee; a project subclass counts as its external bases."""
        names = list(self._project.calls.external(call, fn))
        for value in self._project.evaluate.values(call.func, fn):
            if isinstance(value, Class):
                names += self._project.classes.external_bases(value.cls)
        return tuple(dict.fromkeys(map(self._project.models.canonical, names)))

    def _targets(self, given: Expr, fn: Fn) -> tuple[Fn, ...]:
        direct = self._project.calls.callables(given, fn)
        if direct or not isinstance(given, Call):
            return direct
        return tuple(v.fn for v in self._project.evaluate.values(given, fn) if isinstance(v, Coroutine))

    def _subclass_constructions(self) -> Iterator[Registration]:
        """``super().__init__(target=f)`` in a Thread subclass."""
        for fn, site in self._project.calls.calls_named("__init__"):
            owner = self._project.classes.enclosing(fn)
            for base in self._project.classes.external_bases(owner) if owner else ():
                for callback in self._project.models.callbacks.get(self._project.models.canonical(base), ()):
                    given = argument(site.call, 99, callback.keyword or "\0")
                    if given is not None:
                        yield Registration(callback, site, fn, given, self._targets(given, fn))

    def _made_of_subclasses(self) -> Iterator[Registration]:
        """``Worker(target=f)`` of a Thread subclass that hands its arguments on."""
        for entry in self._project.modules:
            for cls in entry.classes:
                if any(last_name(base).endswith(_WORKERS) for base in cls.facts.bases):
                    for fn, site in self._project.calls.calls_named(cls.name):
                        if argument(site.call, 99, "target") is not None:
                            yield from self.at(site, fn)

    # --- seeds ---------------------------------------------------------------------------------------------------------

    def seeds(self) -> dict[Fn, list[Role]]:
        """Functions that something other than a plain call runs, with the role that this gives them."""
        if self._seeds is None:
            self._seeds = {}
            self._seeded = {id(entry.facts) for entry in self._project.modules}
            for fn, role in self._find_seeds():
                self._seeds.setdefault(fn, []).append(role)
            self.gathered = True
        return self._seeds

    def _find_seeds(self) -> Iterator[tuple[Fn, Role]]:
        for registration in self.registrations():
            for target in registration.targets:
                if self._is_only_tested(registration, target):
                    continue
                yield target, self._registered(registration, target)
                yield from self._may_run_at_once(registration, target)
        yield from self._wrapped_registrations()
        for entry in self._project.modules:
            for cls in entry.classes:
                yield from self._from_class(cls)
            for fn in entry.functions:
                yield from self._from_function(fn)
        yield from self._scripts()
        yield from self._tasks()

    def _is_only_tested(self, registration: Registration, target: Fn) -> bool:
        """Whether only tests hand the program's function over: what they do with it is no way in which it runs."""
        fn, calls = registration.fn, self._project.calls
        if is_test(target) or is_test(fn):
            return not is_test(target)
        name = registration.argument.id if isinstance(registration.argument, Name) else ""
        param = next((p for p in fn.facts.params if p.name == name), None)
        if param is None:
            return False
        givers = [
            caller.fn
            for caller in calls.callers(fn)
            if target in calls.callables(calls.passed(caller.site.call, fn, param), caller.fn)
        ]
        return bool(givers) and all(map(is_test, givers))

    def _registered(
        self, registration: Registration, target: Fn, site: Site | None = None, fn: Fn | None = None
    ) -> Role:
        role, where, holder = registration.callback.role, site or registration.site, fn or registration.fn
        step = holder.step(
            where.call.span, f"`{text(where.call)}` runs `{target.qualname}` as {ROLE_TEXT.get(role, role)}"
        )
        return Role(role, (step,), "proven", target)

    def _may_run_at_once(self, registration: Registration, target: Fn) -> Iterator[tuple[Fn, Role]]:
        """What is handed to a pool or to a stand-in of the project's own may run in the thread that hands it over."""
        made = self._project.evaluate.values(registration.site.call.func, registration.fn)
        if any(isinstance(value, Class) for value in made):
            return  # the constructor of a subclass hands it on to its base
        if self._project.calls.targets(registration.site.call, registration.fn):
            yield target, self._registered(registration, target)._replace(kind="caller", confidence="likely")

    def _wrapped_registrations(self) -> Iterator[tuple[Fn, Role]]:
        """``def on_signal(f): signal.signal(SIGTERM, f)``: who calls it registers its argument."""
        for registration in self.registrations():
            if registration.targets or not isinstance(registration.argument, Name):
                continue
            name, fn = registration.argument.id, registration.fn
            param = next((p for p in fn.facts.params if p.name == name), None)
            if param is None:
                continue
            for caller in self._project.calls.callers(fn):
                given = self._project.calls.passed(caller.site.call, fn, param)
                for target in self._project.calls.callables(given, caller.fn):
                    if is_test(caller.fn) and not is_test(target):
                        continue
                    yield target, self._registered(registration, target, caller.site, caller.fn)

    def _from_class(self, cls: Cls) -> Iterator[tuple[Fn, Role]]:
        for base, method, role in self._overrides():
            fn = self._overriding(cls, method, base)
            if fn is not None:
                said = f"`{cls.name}.{method}` runs as {ROLE_TEXT.get(role, role)}"
                yield fn, Role(role, (fn.step(fn.facts.span, said),), "proven", fn)
        if "__del__" in cls.methods:
            fn = cls.methods["__del__"]
            yield (
                fn,
                Role(
                    "del",
                    (fn.step(fn.facts.span, f"`{cls.name}.__del__` runs when the object is collected"),),
                    "proven",
                    fn,
                ),
            )

    def _overriding(self, cls: Cls, method: str, base: str) -> Fn | None:
        """The method of the class that the base calls: its own, or that of a class beside the base (``Tasks, Thread``)."""
        classes = self._project.classes
        if method in cls.methods:
            return cls.methods[method] if classes.is_a(cls, base) else None
        if len(cls.facts.bases) < 2:
            return None
        fn = classes.method(cls, method)
        beside = fn is not None and fn.cls is not None and classes.is_a(cls, base) and not classes.is_a(fn.cls, base)
        return fn if beside else None

    def _overrides(self) -> tuple[tuple[str, str, str], ...]:
        """Base, method and role of the methods that the libraries which are in use call."""
        if self._methods is None:
            calls = self._project.calls
            rows = (
                row
                for row in self._project.models.overrides
                if is_standard(row.base) or calls.imports_package(row.base)
            )
            self._methods = tuple((row.base, method, row.role) for row in rows for method in row.methods)
        return self._methods

    def _from_function(self, fn: Fn) -> Iterator[tuple[Fn, Role]]:
        if is_test(fn):
            yield fn, Role("test", (), "proven", fn)
        if fn.is_module and (self.main_guard(fn) is not None or fn.module.name.endswith("__main__")):
            yield fn, Role("main", (fn.step(fn.facts.span, f"program `{fn.module.name}` starts"),), "proven", fn)
        for decorator in fn.facts.decorators:
            called = decorator.func if isinstance(decorator, Call) else decorator
            for value in self._project.evaluate.values(called, fn.parent or fn) or tuple(self._of_group(called, fn)):
                entry = self._entry(value.name) if isinstance(value, External) else None
                if entry is not None:
                    yield (
                        fn,
                        Role(
                            entry.role,
                            (fn.step(fn.facts.span, f"`{fn.qualname}` is registered by `@{text(called)}`"),),
                            "proven",
                            fn,
                        ),
                    )

    def _of_group(self, called: Expr, fn: Fn) -> Iterator[External]:
        """``@group.command()`` where ``group`` is a function that a decorator of the same library has made a group."""
        if not isinstance(called, Attr):
            return
        values = self._project.evaluate.values(called.value, fn.parent or fn)
        for group in (value.fn for value in values if isinstance(value, Function)):
            for decorator in group.facts.decorators:
                made = decorator.func if isinstance(decorator, Call) else decorator
                for name in self._project.evaluate.values(made, group.parent or group):
                    if isinstance(name, External) and self._entry(name.name) is not None:
                        yield from self._registrars(name.name.partition(".")[0], called.name)

    def _registrars(self, package: str, method: str) -> Iterator[External]:
        for known in self._project.models.entries:
            if known.startswith(f"{package}.") and known.endswith(f".{method}"):
                yield External(known)

    def _entry(self, name: str) -> Entry | None:
        return self._project.models.entries.get(self._project.models.canonical(name))

    def main_guard(self, body: Fn) -> If | None:
        """The ``if __name__ == "__main__":`` of a module; it is asked for each of its statements."""
        if body not in self._guards:
            tests = (at.stmt for at in body.statements if isinstance(at.stmt, If) and is_main_guard(at.stmt.test))
            self._guards[body] = next(tests, None)
        return self._guards[body]

    def _scripts(self) -> Iterator[tuple[Fn, Role]]:
        for script, target in self._project.scripts:
            module, _, name = target.partition(":")
            for value in self._project.evaluate.member(module.strip(), name.strip().partition(".")[0]):
                if isinstance(value, Function):
                    fn = value.fn
                    yield (
                        fn,
                        Role(
                            "main",
                            (fn.step(fn.facts.span, f"console script `{script}` runs `{fn.qualname}`"),),
                            "proven",
                            fn,
                        ),
                    )

    def _tasks(self) -> Iterator[tuple[Fn, Role]]:
        for last in ("create_task", "ensure_future", "start_soon", "run_coroutine_threadsafe"):
            for fn, site in self._project.calls.calls_named(last):
                given = site.call.args[0].value if site.call.args else None
                inner = given.func if isinstance(given, Call) else given
                for target in self._project.calls.callables(inner, fn) if not isinstance(inner, Lambda) else ():
                    if target.facts.is_async:
                        step = fn.step(site.call.span, f"`{text(site.call)}` runs `{target.qualname}` as a task")
                        yield target, Role("task", (step,), "proven", target)

    # --- roles ---------------------------------------------------------------------------------------------------------

    def of(self, fn: Fn) -> tuple[Role, ...]:
        """The roles under which the function runs, nearest seeds first; at most one path for each kind of role and seed.

        Empty where nobody in the project is known to run it (a library's public function).
        """
        if fn not in self._memo:
            self._memo[fn] = tuple(self._climb(fn))
        return self._memo[fn]

    def kinds(self, fn: Fn) -> frozenset[str]:
        """The kinds of its roles."""
        return frozenset(role.kind for role in self.of(fn))

    def role(self, fn: Fn, *kinds: str) -> Role | None:
        """The first role of one of the kinds."""
        return next((role for role in self.of(fn) if role.kind in kinds), None)

    def only(self, fn: Fn, *kinds: str) -> bool:
        """Whether it has roles, and all of them are of the kinds."""
        found = self.kinds(fn)
        return bool(found) and found <= set(kinds)

    def _climb(self, start: Fn) -> Iterator[Role]:
        seeds = self.seeds()
        queue: list[tuple[Fn, tuple[Step, ...], Confidence]] = [(start, (), "proven")]
        seen = {start}
        position = 0
        while position < len(queue) and position < MAX_VISITED:
            fn, steps, confidence = queue[position]
            position += 1
            for role in (*seeds.get(fn, ()), *self._late(fn)):
                if not is_only_tested(start, role):
                    yield Role(role.kind, (*role.steps, *steps), _weaker(role.confidence, confidence), role.seed)
            if len(steps) >= MAX_DEPTH or self._runs_apart(fn):
                continue
            for caller in self._project.calls.callers(fn):
                if caller.fn not in seen and not _deferred(fn, caller.site):
                    seen.add(caller.fn)
                    step = caller.fn.step(caller.site.call.span, f"`{caller.fn.qualname}` calls `{fn.qualname}`")
                    queue.append((caller.fn, (step, *steps), _weaker(confidence, caller.confidence)))

    def _late(self, fn: Fn) -> Iterator[Role]:
        """What a function of a file that was read after the seeds were gathered is by itself: a program, a command, a test."""
        if id(fn.module) not in self._seeded:
            yield from (role for _, role in self._from_function(fn))

    def _runs_apart(self, fn: Fn) -> bool:
        """A generator's or coroutine's caller only makes it; a generator is iterated by someone else."""
        return fn.facts.is_generator and not fn.decorator_names & {"contextmanager", "asynccontextmanager"}


ROLE_TEXT = {
    "thread": "a thread",
    "timer": "a timer thread",
    "pool-thread": "a pool thread",
    "pool-process": "a pool process",
    "process": "a child process",
    "signal-handler": "a signal handler",
    "loop-signal-callback": "a signal callback of the loop",
    "loop-callback": "a callback of the loop",
    "atexit": "an atexit callback",
    "thread-atexit": "a threading atexit callback",
    "finalizer": "a finalizer",
    "weakref-callback": "a weakref callback",
    "done-callback": "a done callback",
    "task": "a task",
    "framework": "a framework callback",
    "caller": "the caller's own thread",
    "test": "a test",
    "main": "the main program",
    "del": "a destructor",
}


def is_test(fn: Fn) -> bool:
    """Whether the function is test code, by the name of its module and its own."""
    return fn.name.startswith("test_") or _is_test_module(fn.module.name)


def is_only_tested(fn: Fn, role: Role) -> bool:
    """Whether the role of the program's function comes from a test: what tests do with it is no way in which it runs."""
    return role.kind != "test" and is_test(role.seed) and not is_test(fn)


@lru_cache(maxsize=4096)
def _is_test_module(name: str) -> bool:
    return TEST_MODULE.search(name) is not None


def is_main_guard(test: Expr) -> bool:
    """``__name__ == "__main__"``."""
    if not (isinstance(test, Op) and test.op == "==" and len(test.operands) == 2):
        return False
    names = {dotted(operand) for operand in test.operands}
    return "__name__" in names and any(isinstance(o, Const) and o.value == "__main__" for o in test.operands)


def _deferred(fn: Fn, site: Site) -> bool:
    """A coroutine that is called but not awaited here (it is handed to a task) does not run in its caller."""
    return fn.facts.is_async and bool(site.parents) and isinstance(site.parents[0], Call)


def _weaker(left: Confidence, right: Confidence) -> Confidence:
    return "proven" if left == right == "proven" else "likely"
