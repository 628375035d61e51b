"""What is fuzzed, and what each part promises whatever it is given. A promise that is broken raises ``Broken``."""

from __future__ import annotations

import io
import json
import os
import random
import re
import tempfile
import tokenize
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeAlias

import mutations
from mutations import BYTES, ENCODINGS, SIZES, WORDS, mutated

from shutdown_lint import bounds, config, engine, fixes, suppress
from shutdown_lint.adoption import AdoptionError
from shutdown_lint.adoption.baseline import load as load_baseline
from shutdown_lint.cache import open_cache
from shutdown_lint.facts import ModuleFacts
from shutdown_lint.fixes import FixResult
from shutdown_lint.intake import Task, take_in
from shutdown_lint.lower import SyntaxTrouble, lower_newer
from shutdown_lint.models import with_users
from shutdown_lint.rules import registry
from shutdown_lint.settings import Settings
from shutdown_lint.source import SourceFile, Trouble, TroubleError, decode

Data: TypeAlias = tuple[tuple[str, bytes], ...]  # files by name


class Broken(Exception):
    """A promise was broken; the message says which."""


class Subject(NamedTuple):
    """Something that is fuzzed: the files of a case, by a seed; and the look at them, in an empty current folder."""

    make: Callable[[random.Random], Data]
    check: Callable[[Data], None]
    share: int  # of 100 cases


@contextmanager
def scratch() -> Iterator[None]:
    """An empty current folder for a while."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def require(condition: object, promise: str) -> None:
    """Raises ``Broken``."""
    if not condition:
        raise Broken(promise)


# --- Python files ----------------------------------------------------------------------------------------------------


@cache
def _python() -> list[bytes]:
    return mutations.python_seeds()


@cache
def _fixable() -> list[bytes]:
    return mutations.fixable_seeds()


def _some_python(chance: random.Random) -> Data:
    names = ("a.py", "b.py")[: chance.choice((1, 1, 2))]
    return tuple((name, _one_python(chance, chance.choice((_python(), _fixable())))) for name in names)


def _one_python(chance: random.Random, seeds: list[bytes]) -> bytes:
    """Four of five can still be parsed, so that rules and fixes see them too."""
    if chance.random() < 0.2:
        return mutated(chance, seeds, (WORDS, BYTES, ENCODINGS))
    return mutated(chance, seeds, (WORDS, WORDS, WORDS, BYTES, ENCODINGS), _parses)


def _parses(data: bytes) -> bool:
    try:
        return _error(decode(data)) is None
    except TroubleError:
        return False


def _large_python(chance: random.Random) -> Data:
    return (("a.py", mutated(chance, chance.choice((_python(), _fixable())), (SIZES, SIZES, WORDS))),)


def check_large(data: Data) -> None:
    """What is large takes its time, and not more."""
    _write(data)
    _check_and_fix()


def check_python(data: Data) -> None:
    """Both front ends read a file alike; rules find what they find; fixes keep what they promise."""
    for name, content in data:
        _read_by_both(name, content)
    _write(data)
    _check_and_fix()


def _read_by_both(name: str, data: bytes) -> None:
    outcome = take_in(Task(SourceFile(name, name, name[:-3], False, False, True), data, True))
    if isinstance(outcome, Trouble):
        require(outcome.code != "SHD904", f"no internal error: {outcome.message} {outcome.help}")
    try:
        text = decode(data)
    except TroubleError:
        require(isinstance(outcome, Trouble), "what cannot be decoded has no facts")
        return
    error = _error(text)
    if error is None:
        told = isinstance(outcome, Trouble) and outcome.code == "SHD900"
        require(not told, f"what Python parses is no syntax error: {outcome}")
    if bounds.check(text) is None and isinstance(outcome, ModuleFacts):
        _same_by_libcst(text, outcome, error)


def _same_by_libcst(text: str, outcome: ModuleFacts, error: Exception | None) -> None:
    try:
        other = lower_newer(text, path=outcome.path, name=outcome.name, is_package=False, digest=outcome.digest)
    except (SyntaxTrouble, RecursionError):
        # what LibCST cannot read of what Python can is a limit of LibCST
        require(error is None, "facts of what neither parser reads")
        return
    # LibCST ends lines otherwise there
    if "\\\r" not in text and "\x0c" not in text and not re.search(r"^[ \t]*\\$", text, re.MULTILINE):
        require(other == outcome, "both front ends make the same facts")


def _error(text: str) -> Exception | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(text, "<case>", "exec", 0x400, dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            return error
    return None


# --- rules and fixes -------------------------------------------------------------------------------------------------


def _write(data: Data) -> None:
    for name, content in data:
        Path(name).write_bytes(content)


def _contents() -> dict[str, bytes]:
    return {name: Path(name).read_bytes() for name in sorted(os.listdir()) if os.path.isfile(name)}


# what LibCST does not give back as it was, or does not take from Python's parser
_LIMIT = re.compile("the file cannot be written back unchanged|cannot be changed: ")


def _check_and_fix() -> FixResult:
    settings = Settings(root=os.getcwd(), select=("ALL",), jobs=1)
    report = engine.check(["."], settings)
    _no_internal_error(report)
    before = _contents()
    result = fixes.apply(report, ["."], settings, unsafe=True)
    _no_internal_error(result.report)
    problems = [problem for problem in result.problems if not _LIMIT.match(problem.message)]
    require(not problems, f"a file that can be fixed is written: {problems}")
    after = _contents()
    require(before.keys() == after.keys(), f"no file is left or lost: {before.keys() ^ after.keys()}")
    _kept(before, after, {item.code for item in result.fixed})
    again = fixes.apply(result.report, ["."], settings, unsafe=True)
    require(not again.fixed and _contents() == after, f"a second run has nothing to fix: {again.fixed}")
    return result


def _no_internal_error(report: engine.Report) -> None:
    for finding in report.findings:
        require(finding.code != "SHD904", f"no internal error: {finding.message} {finding.help}")


def _kept(before: dict[str, bytes], after: dict[str, bytes], fixed: set[str]) -> None:
    for name, data in after.items():
        if data == before[name] or not name.endswith(".py"):
            continue
        require(_error(decode(data)) is None, f"what was fixed can be parsed: {sorted(fixed)}")
        lost = Counter(_comments(before[name])) - Counter(_comments(data))
        require("SHD910" in fixed or not lost, f"comments are kept: {[*lost]} lost by {sorted(fixed)}")


def _comments(data: bytes) -> list[str]:
    return re.findall(r"#[^\r\n]*", decode(data))


# --- other files -----------------------------------------------------------------------------------------------------


@cache
def _deployment() -> dict[str, list[bytes]]:
    return {name: seeds for name, seeds in mutations.deployment_seeds().items() if seeds}


def _some_deployment(chance: random.Random) -> Data:
    seeds = _deployment()
    name = chance.choice(sorted(seeds))
    files = [(name, mutated(chance, seeds[name], (BYTES, ENCODINGS, WORDS, WORDS, SIZES)))]
    if chance.random() < 0.3:  # they are read together with what they start
        other = chance.choice(sorted(seeds))
        files += [(other, mutated(chance, seeds[other], (WORDS,)))] * (other != name)
        files.append(("app.py", chance.choice(_python())))
    return tuple(files)


def check_deployment(data: Data) -> None:
    """Deployment files have facts, or a trouble with a place."""
    _write(data)
    _check_and_fix()


@cache
def _toml() -> list[bytes]:
    return mutations.configuration_seeds()


def _some_configuration(chance: random.Random) -> Data:
    name = chance.choice(("pyproject.toml", "shutdown-lint.toml"))
    return ((name, mutated(chance, _toml(), (BYTES, ENCODINGS, WORDS))),)


def check_configuration(data: Data) -> None:
    """A configuration is refused in words, or makes settings with which a run is possible."""
    _write((*data, ("a.py", b"import os\nos._exit(1)\n")))
    try:
        settings = config.to_settings(config.find(["."]).values, config.find_root(["."]))
        report = engine.check(["a.py"], settings._replace(jobs=1, cache=""))
    except (config.ConfigError, registry.UnknownSelector) as error:
        require(str(error) and "\x1b" not in str(error), "a mistake is told in words that a terminal can show")
        return
    _no_internal_error(report)


@cache
def _models() -> list[bytes]:
    return mutations.model_seeds()


def _some_models(chance: random.Random) -> Data:
    return (("models.toml", mutated(chance, _models(), (WORDS, WORDS, BYTES))),)


def check_models(data: Data) -> None:
    """A model of a user is refused in words, or is used."""
    _write(data)
    try:
        tables = config.model_file("models.toml")
    except config.ConfigError as error:
        require(str(error), "a mistake is told in words")
        return
    with_users(json.dumps(tables, sort_keys=True))


_MARKS = (
    "# noqa", "#noqa:", "SHD101", "SHD", ",", " ", "  ", "\n", "\r", "# shutdown-lint:", "ignore", "ignore-file", "[", "]",
    "exit-in-thread", "# flake8: noqa", "x = 1", "'''", '"', "\\", "(", ")", ":", "é", "#", "if x:\n    y\n", "@d\n", "def f():",
)  # fmt: skip


def _some_suppressions(chance: random.Random) -> Data:
    return (("a.py", "".join(chance.choices(_MARKS, k=chance.randrange(1, 40))).encode()),)


def check_suppressions(data: Data) -> None:
    """Comments are read, or told with a place that is in the file."""
    text = decode(data[0][1])
    for finding in suppress.apply([], text, "a.py", ("SHD101", "SHD104")).kept:
        lines = re.split(r"\r\n|\n|\r", text)
        require(1 <= finding.span.line <= len(lines), "a finding is in the file")
        require(finding.span.col <= len(lines[finding.span.line - 1]) + 1, "a finding is in its line")


def _some_bytes(chance: random.Random) -> Data:
    return (("a.py", mutated(chance, _python(), (ENCODINGS, ENCODINGS, BYTES))),)


def check_decoder(data: Data) -> None:
    """Bytes are text exactly where CPython takes them for text."""
    content = data[0][1]
    try:
        by_us: Exception | None = _error(decode(content))
    except TroubleError as error:
        by_us = error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(content, "<case>", "exec", 0x400, dont_inherit=True)
        except (SyntaxError, ValueError, LookupError, RecursionError, MemoryError) as error:
            require(by_us is not None, f"CPython refuses this: {error}")
            return
    if isinstance(by_us, TroubleError) and by_us.trouble.code == "SHD902" and _undecodable(content):
        return  # in comments, ``compile`` takes bytes that the same interpreter refuses in a file
    require(by_us is None, f"CPython reads this: {by_us}")


def _undecodable(content: bytes) -> bool:
    """Whether the bytes as a whole are no text in the encoding that they declare (PEP 263)."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        content.decode(encoding)
    except (SyntaxError, LookupError, ValueError):
        return True
    return False


# --- what a run remembers --------------------------------------------------------------------------------------------


@cache
def _cache_file() -> tuple[str, bytes]:
    """The name and content of a cache of the file of ``check_cache``."""
    with scratch():
        _old_file()
        engine.check(["a.py"], Settings(root=".", jobs=1, cache="cache"))
        (path,) = Path("cache").glob("*.json")
        return path.name, path.read_bytes()


def _old_file() -> None:
    Path("a.py").write_text("import os\n\nwith open('a', 'w') as f:\n    os._exit(1)\n")
    os.utime("a.py", (1_600_000_000, 1_600_000_000))


def _some_cache(chance: random.Random) -> Data:
    return (("cache.json", mutated(chance, [_cache_file()[1]], (BYTES, WORDS))),)


def check_cache(data: Data) -> None:
    """Whatever a cache holds, a run ends with findings or without, and never in an error."""
    _old_file()
    os.mkdir("cache")
    found = open_cache("cache", ".")
    require(found.file(os.path.abspath("a.py")) is None, "an empty cache knows nothing")
    settings = Settings(root=".", jobs=1, cache="cache")
    engine.check(["a.py"], settings)
    (path,) = Path("cache").glob("*.json")
    path.write_bytes(data[0][1])
    _no_internal_error(engine.check(["a.py"], settings))


_BASELINE = json.dumps(
    {
        "version": 1,
        "findings": [
            {
                "path": "a.py",
                "code": "SHD101",
                "scope": "f",
                "fingerprint": "0" * 32,
                "times": 1,
                "message": "m",
                "added": "2026-01-01",
            }
        ],
    },
    indent=1,
).encode()


def _some_baseline(chance: random.Random) -> Data:
    return (("baseline.json", mutated(chance, [_BASELINE], (BYTES, ENCODINGS, WORDS))),)


def check_baseline(data: Data) -> None:
    """A baseline is refused in words, or compared with."""
    _write(data)
    try:
        found = load_baseline("baseline.json")
    except AdoptionError:
        return
    found.compare((), lambda _: None, lambda: ("a.py",))


SUBJECTS = {
    "Python files: both front ends, rules, fixes": Subject(_some_python, check_python, 51),
    "large Python files": Subject(_large_python, check_large, 4),
    "deployment files": Subject(_some_deployment, check_deployment, 15),
    "configuration": Subject(_some_configuration, check_configuration, 6),
    "models of a user": Subject(_some_models, check_models, 4),
    "suppressions": Subject(_some_suppressions, check_suppressions, 6),
    "decoder": Subject(_some_bytes, check_decoder, 8),
    "cache": Subject(_some_cache, check_cache, 3),
    "baseline": Subject(_some_baseline, check_baseline, 3),
}
