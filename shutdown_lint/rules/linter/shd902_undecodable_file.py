"""The bytes of the file are not text in its encoding, so nothing in it was checked.

## What it does

Reads a file as CPython does: a UTF-8 byte order mark, else the encoding declared in the first two lines, else UTF-8.
Reports an unknown encoding, a declaration that contradicts the byte order mark, and bytes that the encoding does not
have.

## Why it matters

CPython would not run this file either; a guess at its text would report places that do not exist. The run ends with
exit code 2.

## Use instead

Save the file as UTF-8, or declare its encoding in the first line: `# -*- coding: latin-1 -*-`.

## Precision

The same rules as CPython's, with the same codecs.

## References

- [PEP 263: defining Python source code encodings](https://peps.python.org/pep-0263/)
"""

from __future__ import annotations

from shutdown_lint.rules.base import Rule

RULE = Rule(
    code="SHD902",
    name="undecodable-file",
    summary="the bytes of the file are not text in its encoding, so nothing in it was checked",
    tier="D",
    severity="error",
    triggers=(),
)
