"""Facts as data: nothing is lost on the way, and nothing that was not written by us gets in."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shutdown_lint import facts, facts_json
from shutdown_lint.facts import Assign, Const, ModuleFacts, Name
from shutdown_lint.facts_json import MalformedError, dumps, loads
from shutdown_lint.lower import lower_module

ROOT = Path(__file__).parent.parent
EVERYTHING = """
from __future__ import annotations
import os.path as p, sys
from . import *
global_ = 1, 1.0, True, 0.0, -0.0, None, 1e999, "ü\\ud800", -9223372036854775808
def f(a, /, b: int = 2, *args: int, c=lambda: (yield), **kw) -> None:
    global global_
    with open(p) as s, lock: pass
    async def g():
        async with x as (y, *z): await t
        async for i in j: continue
        else: return [k async for k in l if m if n]
    for i in {**a, 1: 2}: break
    while (w := q()): del w[0], w.x
    try: raise E from None
    except (A, B) as e: raise
    except* C: pass
    finally: assert a[1:2], f"{b()!r}"
class K(Base, metaclass=Meta(1)):
    x: int
    @dec.orate(1)
    def m(self): x += yield from self.n if a else not b
match a:
    case [1, *r] if r: pass
    case _: nonlocal_ = {*a}
""".replace("    except* C: pass\n", "")


def facts_of(text: str) -> ModuleFacts:
    return lower_module(text, path="p.py", name="p", is_package=False, digest="d")


def same(one: object, other: object) -> bool:
    """Equal, also where Python takes values of several types for equal."""
    return one == other and repr(one) == repr(other)


def test_all_of_the_syntax() -> None:
    module = facts_of(EVERYTHING)
    assert same(loads(dumps(module)), module)


def test_the_linter_itself_and_its_fixtures() -> None:
    files = [*ROOT.glob("shutdown_lint/**/*.py"), *ROOT.glob("tests/fixtures/SHD1*/*.py")]
    for path in files:
        module = facts_of(path.read_text("utf-8"))
        assert same(loads(dumps(module)), module), path
    assert len(files) > 300


def test_each_type_of_the_facts_has_a_letter() -> None:
    records = {value for value in vars(facts).values() if isinstance(value, type) and issubclass(value, tuple)} - {
        facts.Span
    }
    assert records == set(facts_json._TYPES.values())


def test_the_same_facts_give_the_same_text_in_any_process() -> None:
    """Nothing may hang on the seed of hashes."""
    code = (
        "import sys; from shutdown_lint.lower import lower_module; from shutdown_lint.facts_json import dumps;"
        "print(dumps(lower_module(open(sys.argv[1]).read(), path='', name='', is_package=False, digest='')))"
    )
    path = str(ROOT / "shutdown_lint/engine.py")
    texts = {
        subprocess.run(
            [sys.executable, "-c", code, path],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1


def test_deep_facts() -> None:
    module = facts_of("x = " + "a." * 500 + "b\n")
    assert loads(dumps(module)) == module


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "{",
        '{"levels": ["m"]}',
        "[" * 100_000,
        '{"levels": ' + "[" * 100_000,
        "\udc80",
        "1" * 5000,
    ],
)
def test_what_is_no_facts_at_all(text: str) -> None:
    with pytest.raises(MalformedError):
        loads(text)


def changed(key: str, value: Any, text: str = "x = y\n") -> str:
    return json.dumps({**json.loads(dumps(facts_of(text))), key: value})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("levels", []),
        ("levels", ["m"] * 20_000),
        ("levels", ["n"]),
        ("levels", ["m", "d", "=", "nü"]),
        ("levels", ["m", "d", "=", "nd-"]),  # a function where an expression stands
        ("levels", ["m", "d", "=", "nn-", "n"]),
        ("texts", [1]),
        ("texts", []),
        ("constants", [[]]),
        ("numbers", [0, -1, -1.0]),
        ("numbers", [0, -1, True]),
        ("numbers", [0, -2, -1]),
        ("numbers", [3, -1, -1]),  # the first function has the number 0
        ("names", [-1] * 9),
        ("names", [1 << 70] * 9),
        ("flags", [2] * 9),
        ("counts", [1 << 40] * 9),
        ("counts", None),
        ("spans", []),
    ],
)
def test_what_does_not_fit_together(key: str, value: object) -> None:
    loads(changed(key, json.loads(dumps(facts_of("x = y\n")))[key]))
    with pytest.raises(MalformedError):
        loads(changed(key, value))


def test_a_function_cannot_stand_in_two_places_or_in_none_that_is() -> None:
    text = "def f(): pass\ndef g(): pass\n"
    data = json.loads(dumps(facts_of(text)))
    assert data["numbers"][-2:] == [1, 2]  # where they are defined, in the module's body
    for numbers in ([1, 1], [1, 3], [0, 1]):
        with pytest.raises(MalformedError, match="do not fit"):
            loads(json.dumps({**data, "numbers": [*data["numbers"][:-2], *numbers]}))


def test_damage_at_random_is_found_out_or_gives_facts() -> None:
    """Never another exception, and never anything but well-typed records."""
    chance, text = random.Random(7), dumps(facts_of(EVERYTHING))
    refused = 0
    for _ in range(3000):
        at, length = chance.randrange(len(text)), chance.randrange(4)
        damaged = text[:at] + chance.choice(["", "0", "1", "]", ",", "m", "-", '"', "7,7"]) + text[at + length :]
        try:
            module = loads(damaged)
        except MalformedError:
            refused += 1
        else:
            assert_typed(module)
    assert refused > 1000


def assert_typed(module: ModuleFacts) -> None:
    """A few fields that rules rely on, all through the tree."""
    left: list[Any] = [module]
    while left:
        record = left.pop()
        if isinstance(record, Name):
            assert type(record.id) is str
        elif isinstance(record, Assign):
            assert all(isinstance(target, facts.Expr.__args__) for target in record.targets)  # type: ignore[attr-defined]  # a union
        if isinstance(record, tuple) and not isinstance(record, Const):
            left += [value for value in record if isinstance(value, tuple)]
