"""Seeds of real files, and what chance makes of them: the input of ``benchmarks/fuzz.py`` and of ``tests/test_fuzz.py``."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests" / "fixtures"
MAX_BYTES = 12_000  # of a seed: many small cases find more than few large ones

Mutation: TypeAlias = Callable[[random.Random, bytes, bytes], bytes]

_NAME = re.compile(rb"[A-Za-z_]\w*")
_VALUE = re.compile(rb"\d[\w.]*|\"[^\"\n]*\"|'[^'\n]*'|\b(?:true|false|True|False|None)\b")
_KEYWORDS = frozenset(
    b"False None True and as assert async await break class continue def del elif else except finally for from global "
    b"if import in is lambda nonlocal not or pass raise return try while with yield match case type".split()
)
_CODECS = ("utf-16", "utf-8-sig", "latin-1", "cp1252", "utf-7", "utf-32", "koi8-r", "shift_jis", "utf-16-be")
_COOKIES = (b"latin-1", b"utf-8", b"utf-7", b"cp1252", b"klingon", b"utf-16", b"ascii", b"shift_jis", b"rot13")
_ODD = (
    b"\0", b"\xff", b"\r", b"\r\n", b"\x0c", b"\t", b"\\", b"\\\n", b"'", b'"""', b"(", b")", b"[", b"]", b"{", b"}", b"#",
    b"${", b"$(", b"{{", b"&a", b"*a", b"<<", b":", b",", b"=", b"%", b"- ", b"\xe2\x80\xae", b"\xed\xa0\x80", b"\x1b[2J",
    "ℓ".encode(), "é".encode(), b"lambda: ", b"await ", b"yield ", b"*", b"**", b"not ", b"async ", b"f'{", b"noqa",
    b"# noqa: SHD", b"# shutdown-lint: ignore[", b"9" * 30, b"-1", b"1e400", b"0x", b":=", b"@", b";", b"\x85", b"\xc2\x85",
)  # fmt: skip


def files(paths: Iterable[Path]) -> list[bytes]:
    """The contents of files that are small enough, in an order that does not depend on the file system."""
    return [path.read_bytes() for path in sorted(paths) if path.is_file() and 0 < path.stat().st_size <= MAX_BYTES]


def python_seeds() -> list[bytes]:
    """The fixtures of all rules, which hold every hazard, and modules of the standard library, which hold odd syntax."""
    return files([*FIXTURES.rglob("*.py"), *Path(os.__file__).parent.glob("*.py")])


def fixable_seeds() -> list[bytes]:
    """The programs that fixes are tried on."""
    return files(ROOT.glob("tests/proof/**/*.py"))


def deployment_seeds() -> dict[str, list[bytes]]:
    """The deployment files among the fixtures, by what the file is called."""
    kinds = {
        "Dockerfile": "**/Dockerfile",
        "compose.yaml": "**/*compose*.y*ml",
        "pod.yaml": "**/*.y*ml",
        "app.service": "**/*.service",
        "supervisord.conf": "**/*.conf",
        "Procfile": "**/Procfile",
        "entrypoint.sh": "**/*.sh",
    }
    roots = (FIXTURES, ROOT / "tests" / "proof")
    return {name: files(path for root in roots for path in root.glob(pattern)) for name, pattern in kinds.items()}


def configuration_seeds() -> list[bytes]:
    """The TOML blocks of the docs, each of which is a configuration."""
    pages = "".join(page.read_text("utf-8") for page in sorted((ROOT / "docs").glob("*.md")))
    return [block.encode() for block in re.findall(r"^```toml.*?\n(.*?)^```", pages, re.DOTALL | re.MULTILINE)]


def model_seeds() -> list[bytes]:
    """The models of libraries."""
    return files((ROOT / "shutdown_lint" / "models").glob("*.toml"))


# --- mutations: of the bytes -----------------------------------------------------------------------------------------


def truncate(chance: random.Random, one: bytes, other: bytes) -> bytes:
    """The beginning."""
    return one[: chance.randrange(len(one) + 1)]


def splice(chance: random.Random, one: bytes, other: bytes) -> bytes:
    """The beginning of one and the end of the other."""
    return one[: chance.randrange(len(one) + 1)] + other[chance.randrange(len(other) + 1) :]


def insert(chance: random.Random, one: bytes, other: bytes) -> bytes:
    """Something odd here and there."""
    for _ in range(chance.randrange(1, 4)):
        place = chance.randrange(len(one) + 1)
        one = one[:place] + chance.choice(_ODD) * chance.choice((1, 1, 1, 2, 50)) + one[place:]
    return one


def flip(chance: random.Random, one: bytes, other: bytes) -> bytes:
    """Other bytes in the place of some."""
    data = bytearray(one)
    for _ in range(chance.randrange(1, 6)) if data else ():
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def cut(chance: random.Random, one: bytes, other: bytes) -> bytes:
    """Something taken out of the midst."""
    begin = chance.randrange(len(one) + 1)
    return one[:begin] + one[begin + chance.randrange(1, 60) :]


def magnify(chance: random.Random, one: bytes, other: bytes) -> bytes:
    """A few bytes from somewhere, very many times: what looks back too often does not come to an end."""
    begin = chance.randrange(len(one) + 1)
    piece = one[begin : begin + chance.randrange(1, 9)] or b" "
    piece += chance.choice((b"", b"", b"\n"))
    return one[:begin] + piece * chance.choice((300, 3000, 30_000)) + one[begin:]


# --- mutations: of the encoding --------------------------------------------------------------------------------------


def recode(chance: random.Random, one: bytes, other: bytes) -> bytes:
    """In another encoding than it says, or than UTF-8."""
    text = one.decode("utf-8", "replace")
    return text.encode(chance.choice(_CODECS), "replace")


def declare(chance: random.Random, one: bytes, other: bytes) -> bytes:
    """A declaration of an encoding, true or not, and a byte that tells the difference."""
    place = chance.randrange(len(one) + 1)
    data = one[:place] + chance.choice((b"", b"\xe9", "é".encode())) + one[place:]
    return (
        chance.choice((b"", b"#!/usr/bin/python\n", b"\xef\xbb\xbf"))
        + b"# coding: "
        + chance.choice(_COOKIES)
        + b"\n"
        + data
    )


def line_ends(chance: random.Random, one: bytes, other: bytes) -> bytes:
    """Lines that end otherwise, all or some of them."""
    ends = chance.choice(((b"\r\n",), (b"\r",), (b"\n", b"\r\n", b"\r"), (b"\x0c\n",), (b"\\\n", b"\n")))
    return b"".join(line + chance.choice(ends) for line in one.split(b"\n"))


# --- mutations: of lines and words, after which most files can still be parsed ----------------------------------------


def move_lines(chance: random.Random, one: bytes, other: bytes) -> bytes:
    """Lines left out, doubled, or put elsewhere."""
    lines = one.splitlines(keepends=True) or [b""]
    begin = chance.randrange(len(lines))
    block = lines[begin : begin + chance.randrange(1, 6)]
    rest = lines[:begin] + lines[begin + len(block) :]
    place = chance.randrange(len(rest) + 1)
    return b"".join(chance.choice((rest, lines[:begin] + block + lines[begin:], rest[:place] + block + rest[place:])))


def transplant(chance: random.Random, one: bytes, other: bytes) -> bytes:
    """Lines of the other file where lines of the same indentation begin."""
    lines, donor = one.splitlines(keepends=True) or [b""], other.splitlines(keepends=True) or [b""]
    place, begin = chance.randrange(len(lines)), chance.randrange(len(donor))
    block = donor[begin : begin + chance.randrange(1, 12)]
    shift = _indent(lines[place]) - _indent(block[0])
    moved = [b" " * shift + line if shift > 0 else line[min(-shift, _indent(line)) :] for line in block]
    return b"".join([*lines[:place], *moved, *lines[place + chance.randrange(2) :]])


def _indent(line: bytes) -> int:
    return len(line) - len(line.lstrip(b" "))


def swap_names(chance: random.Random, one: bytes, other: bytes) -> bytes:
    """Names for other names: nothing is what it was, and all of it still parses."""
    pool = sorted({*_NAME.findall(one), *_NAME.findall(other)} - _KEYWORDS) or [b"x"]
    share = chance.choice((0.02, 0.1, 0.3))

    def swapped(match: re.Match[bytes]) -> bytes:
        keep = match[0] in _KEYWORDS or chance.random() > share
        return match[0] if keep else chance.choice(pool)

    return _NAME.sub(swapped, one)


def swap_values(chance: random.Random, one: bytes, other: bytes) -> bytes:
    """Values for other values, of another type above all."""
    pool = [
        b"0",
        b"-1",
        b"1e400",
        b"[]",
        b"{}",
        b"''",
        b'"x"',
        b"true",
        b"None",
        b"9" * 400,
        b"[[1]]",
        b"{a = 1}",
        b"...",
    ]
    pool += _VALUE.findall(other)
    return _VALUE.sub(lambda match: match[0] if chance.random() > 0.2 else chance.choice(pool), one)


def wrap(chance: random.Random, one: bytes, other: bytes) -> bytes:
    """All of it inside of something else."""
    heads = (b"try:", b"if x:", b"def f():", b"async def f(self):", b"class C(Thread):", b"with open('a', 'w') as f:")
    tails = (b"", b"\nexcept:\n    pass\n", b"\nfinally:\n    return\n", b"\nelse:\n    pass\n")
    body = b"".join(b"    " + line for line in one.splitlines(keepends=True))
    return chance.choice(heads) + b"\n" + body + chance.choice(tails)


BYTES: tuple[Mutation, ...] = (truncate, splice, insert, flip, cut)
SIZES: tuple[Mutation, ...] = (magnify,)
ENCODINGS: tuple[Mutation, ...] = (recode, declare, line_ends)
WORDS: tuple[Mutation, ...] = (move_lines, transplant, swap_names, swap_values, wrap)


def mutated(
    chance: random.Random,
    seeds: Sequence[bytes],
    kinds: Sequence[Sequence[Mutation]],
    wanted: Callable[[bytes], bool] = bool,
) -> bytes:
    """A seed after one to three mutations, each of a kind that chance picks; tried again a few times if it is not ``wanted``."""
    data = chance.choice(seeds)
    for _ in range(chance.choice((1, 1, 2, 3))):
        for _ in range(8):
            made = chance.choice(chance.choice(kinds))(chance, data, chance.choice(seeds))
            if wanted(made):
                break
        data = made
    return data
