"""Check the models against the sources of the packages that they speak about.

    python scripts/verify_models.py [FILE.toml ...] [--wheels DIR]

Each package is downloaded at the version that its model file pins, as a wheel and without what it depends on, and read
with ``ast``: nothing of it is installed or run. Every class, function, method, parameter and other name in the models
must be found there, through re-exports, base classes and simple assignments; of a program, that the package installs it, and its
options. What cannot be read (C extensions without
stubs, names that are made at run time, bases in other packages) is listed with the reason. The standard library is the
one that runs this script. Exit code 1: something in the models is wrong.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import importlib
import inspect
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from shutdown_lint.models import Blocking, Callback, Resource  # noqa: E402  # the tree's own, not an installed one
from shutdown_lint.models.sources import Library, libraries  # noqa: E402

MAX_HOPS = 12
# what the Python that runs this need not have
ELSEWHERE = {
    "asyncio.Server.close_clients": "since Python 3.13",
    "asyncio.Server.abort_clients": "since Python 3.13",
    "selectors.KqueueSelector": "on BSD and macOS only",
    "selectors.EpollSelector": "on Linux only",
    "multiprocessing.managers.SyncManager.shutdown": "the method is made by start()",
    "aiobotocore.session.ClientCreatorContext": "of aiobotocore, which aioboto3 is built on",
}


class Wrong(Exception):  # the model says what the source does not
    pass


class Unknown(Exception):  # the source cannot tell
    pass


class Place(NamedTuple):
    """A module, class, function or instance: its node in the module named; a node of None is the module itself."""

    module: str
    node: ast.AST | None
    instance: bool = False


class Wheel:
    """The modules of a downloaded wheel, parsed when they are asked for."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path)
        names = self._zip.namelist()
        self.modules: dict[str, list[str]] = {}
        self.compiled: set[str] = set()
        for name in names:
            parts = name.removesuffix("/__init__.py").removesuffix("/__init__.pyi")
            if name.endswith((".py", ".pyi")):
                dotted = parts.removesuffix(".py").removesuffix(".pyi").replace("/", ".")
                self.modules.setdefault(dotted, []).append(name)
            elif name.endswith((".so", ".pyd")):
                self.compiled.add(name.partition(".")[0].replace("/", "."))

    @cache  # noqa: B019  # a wheel lives as long as the script
    def trees(self, module: str) -> list[ast.Module]:
        """The module as source and as stub, whichever there are."""
        return [ast.parse(self._zip.read(name)) for name in self.modules.get(module, ())]

    @cached_property
    def programs(self) -> frozenset[str]:
        """The console scripts that it installs."""
        files = [self._zip.read(name).decode() for name in self._zip.namelist() if name.endswith("/entry_points.txt")]
        return frozenset(re.findall(r"^([\w.-]+)\s*=", "\n".join(files), re.MULTILINE))

    @cached_property
    def words(self) -> frozenset[str]:
        """All words in its modules, with dashes for underscores."""
        texts = (self._zip.read(name).decode(errors="replace") for names in self.modules.values() for name in names)
        return frozenset(word.replace("_", "-").strip("-") for text in texts for word in re.findall(r"[\w-]+", text))

    def is_package(self, module: str) -> bool:
        return any(name.endswith(("__init__.py", "__init__.pyi")) for name in self.modules.get(module, ()))


class Checker:
    """Resolves dotted names in one wheel."""

    def __init__(self, wheel: Wheel) -> None:
        self.wheel = wheel

    # --- names -------------------------------------------------------------------------------------------------------

    def find(self, dotted: str) -> Place:
        """What the dotted name stands for."""
        parts = dotted.split(".")
        for cut in range(len(parts), 0, -1):
            module = ".".join(parts[:cut])
            if module in self.wheel.modules:
                place = Place(module, None)
                for name in parts[cut:]:
                    place = self.member(place, name)
                return place
            if module in self.wheel.compiled:
                raise Unknown(f"{module} is a C extension without a stub")
        if any(name.startswith(f"{dotted.partition('.')[0]}.") for name in self.wheel.modules):
            raise Unknown(f"{parts[0]} is a namespace; nothing of it that is named here is in this wheel")
        raise Wrong(f"the package has no module {parts[0]}")

    def member(self, place: Place, name: str, hops: int = 0) -> Place:
        if hops > MAX_HOPS:
            raise Unknown(f"{name} cannot be followed")
        if place.node is None:
            return self._of_module(place.module, name, hops)
        if isinstance(place.node, ast.ClassDef):
            return self._of_class(place, name, hops)
        if isinstance(place.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return self.member(self._result(place, hops), name, hops + 1)
        raise Unknown(f"what holds {name} is made at run time")

    def _of_module(self, module: str, name: str, hops: int) -> Place:
        stars, lazy = [], False
        for tree in self.wheel.trees(module):
            for stmt in _flat(tree.body):
                if isinstance(stmt, ast.ImportFrom) and stmt.names[0].name == "*":
                    stars.append(self._absolute(module, stmt))
                elif (found := self._bound(module, stmt, name, hops)) is not None:
                    return found
                lazy = lazy or _is_lazy(stmt, name)
        if f"{module}.{name}" in self.wheel.modules:
            return Place(f"{module}.{name}", None)
        for star in stars:
            if star in self.wheel.modules:
                try:
                    return self._of_module(star, name, hops + 1)
                except Wrong:
                    continue
            if star in self.wheel.compiled or star.rpartition(".")[2].startswith("_"):
                lazy = True
            if star.partition(".")[0] != module.partition(".")[0]:
                raise Unknown(f"{name} may come from {star}, which is another package")
        if f"{module}.{name}" in self.wheel.compiled:
            raise Unknown(f"{module}.{name} is a C extension without a stub")
        if lazy:
            return self._by_name(module, name)
        raise Wrong(f"{module} has no {name}")

    def _bound(self, module: str, stmt: ast.stmt, name: str, hops: int) -> Place | None:
        if isinstance(stmt, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and stmt.name == name:
            return Place(module, stmt)
        if isinstance(stmt, (ast.Import, ast.ImportFrom)):
            for alias in stmt.names:
                if alias.asname == name or (alias.asname is None and alias.name.partition(".")[0] == name):
                    whole = alias.name if alias.asname or isinstance(stmt, ast.ImportFrom) else name
                    return self._imported(module, stmt, whole, hops)
        for target, value, annotation in _assigned(stmt):
            if isinstance(target, ast.Name) and target.id == name:
                return self._value(Place(module, None), value, annotation, hops)
        return None

    def _imported(self, module: str, stmt: ast.Import | ast.ImportFrom, name: str, hops: int) -> Place:
        if isinstance(stmt, ast.Import):
            if not any(f"{known}.".startswith(f"{name.partition('.')[0]}.") for known in self.wheel.modules):
                raise Unknown(f"{name} is another package")
            return self.find(name)
        base = self._absolute(module, stmt)
        if f"{base}.{name}" in self.wheel.modules and base not in self.wheel.modules:
            return Place(f"{base}.{name}", None)
        if base in self.wheel.modules:
            if base == module:  # `from . import name`
                return Place(f"{base}.{name}", None)
            return self._of_module(base, name, hops + 1)
        if base in self.wheel.compiled:
            raise Unknown(f"{base} is a C extension without a stub")
        raise Unknown(f"{name} comes from {base}, which is another package")

    def _absolute(self, module: str, stmt: ast.ImportFrom) -> str:
        if not stmt.level:
            return stmt.module or ""
        parts = module.split(".")
        kept = parts[: len(parts) - stmt.level + self.wheel.is_package(module)]
        return ".".join([*kept, *((stmt.module or "").split(".") if stmt.module else ())])

    def _by_name(self, module: str, name: str) -> Place:
        """A name that the module gets at run time: the one class or function of that name in the package."""
        found = [
            Place(other, stmt)
            for other in self.wheel.modules
            if other.partition(".")[0] == module.partition(".")[0] and ".tests" not in other
            for tree in self.wheel.trees(other)
            for stmt in tree.body
            if isinstance(stmt, (ast.ClassDef, ast.FunctionDef)) and stmt.name == name
        ]
        if len(found) == 1:
            return found[0]
        raise Unknown(f"{module} gets {name} at run time")

    # --- values ------------------------------------------------------------------------------------------------------

    def _value(self, scope: Place, value: ast.expr | None, annotation: ast.expr | None, hops: int) -> Place:
        """What an assignment binds: another name, an instance of a class, or what its annotation says."""
        if annotation is not None and not isinstance(value, (ast.Name, ast.Attribute)):
            return self._annotated(scope, annotation, hops)
        if isinstance(value, ast.Call):
            made = self._expression(scope, value.func, hops)
            return made._replace(instance=True) if isinstance(made.node, ast.ClassDef) else self._result(made, hops)
        if value is not None:
            return self._expression(scope, value, hops)
        raise Unknown("its value is made at run time")

    def _expression(self, scope: Place, expr: ast.expr, hops: int) -> Place:
        if isinstance(expr, ast.Name):
            try:
                return self._of_module(scope.module, expr.id, hops + 1)
            except Wrong:
                if hasattr(builtins, expr.id):  # `idle = getattr(module, "idle")`
                    raise Unknown("its value is made at run time") from None
                raise
        if isinstance(expr, ast.Attribute):
            return self.member(self._expression(scope, expr.value, hops + 1), expr.attr, hops + 1)
        if isinstance(expr, ast.Subscript):
            return self._expression(scope, expr.value, hops + 1)
        raise Unknown("its value is made at run time")

    def _annotated(self, scope: Place, annotation: ast.expr, hops: int) -> Place:
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            annotation = ast.parse(annotation.value, mode="eval").body
        if isinstance(annotation, ast.BinOp):
            annotation = annotation.left
        if isinstance(annotation, ast.Subscript) and isinstance(annotation.value, ast.Name):
            if annotation.value.id in ("Final", "ClassVar", "Optional", "Annotated", "Type"):
                annotation = (
                    annotation.slice if not isinstance(annotation.slice, ast.Tuple) else annotation.slice.elts[0]
                )
        return self._expression(scope, annotation, hops)._replace(instance=True)

    def _result(self, function: Place, hops: int) -> Place:
        node = function.node
        returns = getattr(node, "returns", None)
        if returns is None:
            raise Unknown(f"what {getattr(node, 'name', 'it')} returns is not annotated")
        return self._annotated(Place(function.module, None), returns, hops + 1)

    # --- classes -----------------------------------------------------------------------------------------------------

    def _of_class(self, cls: Place, name: str, hops: int) -> Place:
        assert isinstance(cls.node, ast.ClassDef)
        for stmt in _flat(cls.node.body):
            if isinstance(stmt, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and stmt.name == name:
                is_property = any(ast.unparse(d).endswith("property") for d in stmt.decorator_list)
                return self._result(Place(cls.module, stmt), hops) if is_property else Place(cls.module, stmt)
            for target, value, annotation in _assigned(stmt):
                if isinstance(target, ast.Name) and target.id == name:
                    if isinstance(value, ast.Name):  # `close = stop`
                        return self._of_class(cls, value.id, hops + 1)
                    return self._value(cls, value, annotation, hops)
        if (found := self._of_instance(cls, name, hops)) is not None:
            return found
        return self._of_bases(cls, name, hops)

    def _of_instance(self, cls: Place, name: str, hops: int) -> Place | None:
        """An attribute that the methods give: ``self.name = …``."""
        for stmt in ast.walk(cls.node or ast.Module([], [])):
            for target, value, annotation in _assigned(stmt):
                if isinstance(target, ast.Attribute) and target.attr == name and ast.unparse(target.value) == "self":
                    return self._value(cls, value, annotation, hops)
        return None

    def _of_bases(self, cls: Place, name: str, hops: int) -> Place:
        assert isinstance(cls.node, ast.ClassDef)
        outside = []
        for base in cls.node.bases:
            try:
                return self.member(self._expression(cls, base, hops + 1), name, hops + 1)
            except Wrong:
                continue
            except Unknown as error:
                if (standard := _standard_class(self.wheel, cls.module, base)) is not None:
                    if hasattr(standard, name):
                        return Place("stdlib", None)
                else:
                    outside.append(f"{ast.unparse(base)}: {error}")
        if outside:
            raise Unknown(f"a base of {cls.node.name} cannot be read ({outside[0]})")
        raise Wrong(f"{cls.node.name} has no {name}")


def _flat(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a body, those under ``if``, ``try`` and ``with`` included."""
    for stmt in body:
        yield stmt
        for part in ("body", "orelse", "finalbody"):
            if isinstance(stmt, (ast.If, ast.Try, ast.With)):
                yield from _flat(getattr(stmt, part, []))
        for handler in getattr(stmt, "handlers", ()):
            yield from _flat(handler.body)


def _assigned(stmt: ast.AST) -> Iterator[tuple[ast.expr, ast.expr | None, ast.expr | None]]:
    if isinstance(stmt, ast.Assign):
        yield from ((target, stmt.value, None) for target in stmt.targets)
    elif isinstance(stmt, ast.AnnAssign):
        yield stmt.target, stmt.value, stmt.annotation


def _is_lazy(stmt: ast.stmt, name: str) -> bool:
    """Whether the statement may give the module names at run time: ``__getattr__``, or a table that mentions the name."""
    if isinstance(stmt, ast.FunctionDef) and stmt.name == "__getattr__":
        return True
    return isinstance(stmt, (ast.Assign, ast.Expr, ast.AnnAssign)) and any(
        isinstance(part, ast.Constant) and part.value == name for part in ast.walk(stmt)
    )


def _standard_class(wheel: Wheel, module: str, base: ast.expr) -> Any:
    """The class of the standard library that a base is, by the module's imports."""
    text = ast.unparse(base).partition("[")[0]
    first, _, rest = text.partition(".")
    for tree in wheel.trees(module):
        for stmt in _flat(tree.body):
            for alias in stmt.names if isinstance(stmt, (ast.Import, ast.ImportFrom)) else ():
                if (alias.asname or alias.name.partition(".")[0]) == first:
                    dotted = f"{stmt.module}.{alias.name}" if isinstance(stmt, ast.ImportFrom) else first
                    dotted = f"{dotted}.{rest}" if rest else dotted
                    if dotted.partition(".")[0] in sys.stdlib_module_names:
                        return _standard(dotted)
    return getattr(builtins, text, None)


def _standard(dotted: str) -> Any:
    """Something of the standard library, which may be imported."""
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ImportError:
            continue
        for name in parts[cut:]:
            if not hasattr(found, name):
                if callable(found) and not inspect.isclass(found):
                    raise Unknown(f"{'.'.join(parts[:cut])} is a function that stands for a type")
                raise Wrong(f"{found!r} has no {name}")
            found = getattr(found, name)
        return found
    raise Wrong(f"there is no module {parts[0]}")


# --- what a library's file says --------------------------------------------------------------------------------------


class Claim(NamedTuple):
    """A name that must exist; ``parameters`` that it must take, with their 0-based positions (-1: any).

    ``others`` are as good: the name of a method with other names of its type. ``by_name``: the library may look for it
    in subclasses without having it itself.
    """

    name: str
    parameters: tuple[tuple[str, int], ...] = ()
    is_async: bool | None = None
    others: tuple[str, ...] = ()
    by_name: bool = False


def claims(library: Library) -> Iterator[Claim]:
    for resource in library.rows["resource"]:
        yield from _of_resource(resource)
    for row in library.rows["callback"]:
        yield Claim(row.call, _parameter(row))
    for row in library.rows["blocking"]:
        yield Claim(row.call, _parameter(row), row.is_async)
    for row in library.rows["entry"]:
        yield Claim(row.decorator)
    for row in library.rows["override"]:
        yield Claim(row.base)
        yield from (Claim(f"{row.base}.{method}", by_name=True) for method in row.methods)
    for row in library.rows["chain"]:
        yield from (Claim(name, by_name=name != row.base) for name in (row.base, *row.also))
        yield from (Claim(f"{row.base}.{method}", by_name=True) for method in row.methods)
    for row in library.rows["handles_signals"]:
        yield Claim(row.call, ((row.unless, -1),) if row.unless else ())
    for row in library.rows["exit"]:
        yield Claim(row.call)
    for row in library.rows["borrow"]:
        yield from map(Claim, (row.call, *row.also))
    for row in library.rows["result"]:
        yield from (Claim(row.call), Claim(row.type))
    for row in library.rows["field"]:
        taken = ((row.factory, row.position), *(((row.default, -1),) if row.default else ()))
        yield from (Claim(name, taken) for name in (row.call, *row.also))
    for row in library.rows["alias"]:
        # what it means may be in another package
        yield from (Claim(row.name), Claim(row.means, by_name=True))


def _of_resource(resource: Resource) -> Iterator[Claim]:
    yield from map(Claim, resource.makers if resource.kind != "fd" else resource.acquire)  # a descriptor is an int
    yield from map(Claim, resource.release_calls)
    limits = {wait.method: ((wait.timeout, wait.position),) for wait in resource.wait if wait.timeout}
    methods = dict.fromkeys((*resource.start, *resource.stop, *resource.release, *(w.method for w in resource.wait)))
    for method in methods:
        is_async = resource.is_async if resource.release and method == resource.release[0] else None
        others = tuple(f"{name}.{method}" for name in resource.also)
        yield Claim(f"{resource.name}.{method}", limits.get(method, ()), is_async, others)
    if resource.context_manager:
        others = tuple(f"{name}.{leave}" for name in resource.makers for leave in ("__exit__", "__aexit__"))
        yield Claim(f"{resource.name}.__exit__", others=others)


def _parameter(row: Blocking | Callback) -> tuple[tuple[str, int], ...]:
    name = row.timeout if isinstance(row, Blocking) else row.keyword
    return ((name, row.position),) if name or row.position >= 0 else ()


def check(claim: Claim, checker: Checker | None) -> None:
    """Raises ``Wrong`` or ``Unknown`` where the claim is not borne out."""
    if checker is None:
        _check_standard(claim)
        return
    place = _found(claim, checker)
    node = place.node
    if isinstance(node, ast.ClassDef) and claim.parameters:
        node = checker.member(place, "__init__").node
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        in_class = claim.name.rpartition(".")[0] not in checker.wheel.modules or isinstance(place.node, ast.ClassDef)
        for name, position in claim.parameters:
            _check_parameter(node, name, position, in_class)
        if claim.is_async is not None and not _agrees(node, claim.is_async):
            raise Wrong(f"it is {'' if not claim.is_async else 'not '}a coroutine")


def _found(claim: Claim, checker: Checker) -> Place:
    try:
        return checker.find(claim.name)
    except (Wrong, Unknown):
        for other in claim.others:
            try:
                return checker.find(other)
            except (Wrong, Unknown):
                continue
        raise


def _agrees(node: ast.FunctionDef | ast.AsyncFunctionDef, is_async: bool) -> bool:
    if isinstance(node, ast.AsyncFunctionDef):
        return is_async
    returns = ast.unparse(node.returns) if node.returns is not None else ""
    # a plain function may hand out something to await
    return not is_async or any(word in returns for word in ("Awaitable", "Coroutine", "Future", "Generator", "Task"))


def _check_parameter(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str, position: int, in_class: bool) -> None:
    static = any(ast.unparse(decorator) == "staticmethod" for decorator in node.decorator_list)
    places = [arg.arg for arg in (*node.args.posonlyargs, *node.args.args)][1 if in_class and not static else 0 :]
    keywords = {*places, *(arg.arg for arg in node.args.kwonlyargs)}
    if name and name not in keywords and node.args.kwarg is None:
        raise Wrong(f"it has no parameter {name}")
    if name and name in places and position >= 0 and places.index(name) != position:
        raise Wrong(f"{name} is at position {places.index(name)}, not {position}")
    if position >= len(places) and node.args.vararg is None:
        raise Wrong(f"it takes only {len(places)} positional arguments")


def _check_standard(claim: Claim) -> None:
    try:
        found = _standard(claim.name)
    except Wrong:
        if not claim.others:
            raise
        found = next((other for name in claim.others if (other := _standard_or_none(name)) is not None), None)
        if found is None:
            raise
    if claim.is_async is not None and inspect.isfunction(found):
        if inspect.iscoroutinefunction(found) != claim.is_async:
            raise Wrong(f"it is {'not ' if claim.is_async else ''}a coroutine")
    for name, position in claim.parameters:
        try:
            parameters = list(inspect.signature(found).parameters.values())
        except (TypeError, ValueError):
            raise Unknown("its parameters are not told") from None
        if any(parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL) for parameter in parameters):
            continue
        places = [parameter.name for parameter in parameters if parameter.name != "self"]
        if name and name not in places:
            raise Wrong(f"it has no parameter {name}")
        if name and position >= 0 and places.index(name) != position:
            raise Wrong(f"{name} is at position {places.index(name)}, not {position}")


def _standard_or_none(name: str) -> Any:
    try:
        return _standard(name)
    except (Wrong, Unknown):
        return None


# --- the run ---------------------------------------------------------------------------------------------------------


def wheel_of(library: Library, folder: Path) -> Wheel | None:
    """The wheel, downloaded unless it is there; None for the standard library. Raises ``Unknown`` where there is none."""
    if library.unchecked:
        raise Unknown(library.unchecked)
    if not library.package:
        return None
    start = f"{library.package.lower().replace('-', '_').replace('.', '_')}-{library.version}-"

    def there() -> Path | None:
        return next(
            (p for p in folder.glob("*.whl") if p.name.lower().replace(".", "_").startswith(start.replace(".", "_"))),
            None,
        )

    if there() is None:
        command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps"]
        wanted = f"{library.package}=={library.version}"
        done = subprocess.run(
            [*command, "--only-binary", ":all:", "-d", str(folder), wanted],
            capture_output=True, text=True, check=False, timeout=900,
        )  # fmt: skip
        if done.returncode:
            raise Unknown(f"{wanted} cannot be downloaded: {done.stderr.strip().splitlines()[-1:]}")
    found = there()
    if found is None:
        raise Unknown(f"{library.package} {library.version} has no wheel")
    return Wheel(found)


def verify(library: Library, folder: Path) -> tuple[int, list[str], list[str]]:
    """How many claims hold, what is wrong, what cannot be told."""
    held, wrong, unknown = 0, [], []
    try:
        wheel = wheel_of(library, folder)
    except Unknown as error:
        return 0, [], [str(error)]
    checker = Checker(wheel) if wheel is not None else None
    for program in library.rows["command"] if wheel is not None else ():
        name = program.name.partition(" ")[0]
        if name in wheel.programs:
            held += 1
        else:
            unknown.append(f"{program.name}: another package installs `{name}`")
        for option in filter(None, (program.grace, *program.orderly, *program.master, *program.config)):
            if not option.startswith("--"):
                continue
            if option.strip("-") in wheel.words:
                held += 1
            else:
                wrong.append(f"{program.name}: no module names {option}")
    for claim in dict.fromkeys(claims(library)):
        try:
            check(claim, checker)
            held += 1
        except Wrong as error:
            kind = unknown if claim.by_name or claim.name in ELSEWHERE else wrong
            kind.append(f"{claim.name}: {ELSEWHERE.get(claim.name, error)}")
        except Unknown as error:
            unknown.append(f"{claim.name}: {error}")
    return held, wrong, unknown


def main() -> int:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="*", help="model files (default: all)")
    parser.add_argument("--wheels", type=Path, help="where wheels are kept (default: a temporary folder)")
    arguments = parser.parse_args()
    failed, total = 0, 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.wheels or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for library in libraries():
            if arguments.files and library.file not in {Path(file).name for file in arguments.files}:
                continue
            held, wrong, unknown = verify(library, folder)
            total, failed = total + held, failed + len(wrong)
            what = f"{library.package} {library.version}".strip() or "standard library"
            print(f"{library.file}: {what}: {held} right, {len(wrong)} wrong, {len(unknown)} not checkable")
            for kind, lines in (("wrong", wrong), ("not checkable", unknown)):
                for line in lines:
                    print(f"    {kind}: {line}")
    print(f"{total} claims hold, {failed} are wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
