"""Bytes become text exactly where CPython reads them, and are told where it does not."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from shutdown_lint.source import TroubleError, decode, digest

COOKIES = [
    b"",
    b"# coding: utf-8\n",
    b"# -*- coding: UTF_8 -*-\n",
    b"# coding: utf8\n",
    b"# coding: utf-8-sig\n",
    b"# coding: latin-1\n",
    b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n",
    b"# coding=iso_8859_15\n",
    b"\n# coding: latin-1\n",
    b"x = 1\n# coding: latin-1\n",
    b"\n\n# coding: latin-1\n",
    b"# coding: klingon\n",
    b"# coding: rot13\n",
    b"# coding: utf-7\n",
    b"\f# coding: latin-1\r\n",
    b"# coding: latin-1\r",
    b"'# coding: latin-1'\n",
    b"# coding: ascii\n",
    b"# coding: utf-16\n",
    b"# coding: ISO-8859-1-unix\n",
    b"# encoding: koi8-r, or so\n",
    b"# " + b"long" * 2000 + b"\n# coding: latin-1\n",
]
BODIES = [b"x = 1\n", b"s = '\xe9'\n", "s = 'é漢'\n".encode(), b"s = '+AGE-'\n", b"s = '\xff'\n"]


def as_cpython(data: bytes) -> bool:
    try:
        compile(data, "a.py", "exec")
    except (SyntaxError, ValueError, LookupError):
        return False
    return True


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["plain", "bom"])
@pytest.mark.parametrize("cookie", COOKIES, ids=lambda cookie: cookie[:40].decode("latin-1").strip() or "none")
def test_decoding_is_refused_where_cpython_refuses(cookie: bytes, bom: bytes) -> None:
    for body in BODIES:
        data = bom + cookie + body
        try:
            decoded = compile(decode(data), "a.py", "exec") is not None
        except TroubleError as error:
            assert error.trouble.code == "SHD902"
            decoded = False
        assert decoded == as_cpython(data), data


def test_decoded_text_is_what_cpython_sees() -> None:
    assert decode(b"# coding: latin-1\ns = '\xe9'\n").endswith("'é'\n")
    assert decode(b"# coding: utf-7\nimport os +ADs- os._exit(1)\n").endswith("import os ; os._exit(1)\n")
    assert decode(b"\xef\xbb\xbfx = 1\n") == "x = 1\n"


@pytest.mark.parametrize(
    ("data", "code", "words", "line"),
    [
        (b"x = 1\r\rs = '\xe9'\n", "SHD902", "0xe9 is not UTF-8, and no encoding is declared", 3),
        (b"# coding: klingon\n", "SHD902", "unknown encoding: klingon", 1),
        (b"# coding: rot13\n", "SHD902", "rot13", 1),
        (b"\xef\xbb\xbf# coding: latin-1\n", "SHD902", "contradicts|byte order mark", 1),
        ("x = 1\n".encode("utf-16"), "SHD902", "UTF-16", 1),
        (b"a\r\nb\n\x00", "SHD900", "null byte at offset 5", 3),
        (b"# coding: utf-7\n+AAA-\n", "SHD900", "null byte", 2),
    ],
)
def test_what_is_said_of_undecodable_bytes(data: bytes, code: str, words: str, line: int) -> None:
    with pytest.raises(TroubleError, match=words) as caught:
        decode(data)
    assert (caught.value.trouble.code, caught.value.trouble.line) == (code, line)


@given(st.binary(max_size=60))
def test_any_bytes_are_decoded_or_told(data: bytes) -> None:
    try:
        assert "\0" not in decode(data)
    except TroubleError as error:
        assert error.trouble.code in ("SHD900", "SHD902")


def test_digest_is_of_the_bytes() -> None:
    assert digest(b"x") == digest(b"x") != digest(b"x\n")
    assert len(digest(b"")) == 32
