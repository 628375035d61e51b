"""The file cannot be parsed, so nothing in it was checked.

## What it does

Reports a file that CPython would refuse to compile: a syntax error, a null byte, brackets or blocks nested deeper than
CPython allows (200 and 100). Syntax that Python reads and this version does not (yet) is reported with the same
code and says so.

## Why it matters

A file that was not looked at must not pass for a clean one. A run with such a file ends with exit code 2, and the
other files are checked all the same.

## Use instead

Mend the file. A template that only looks like Python belongs into `exclude`, or into `per-file-ignores`.

## Precision

The text is refused by LibCST or by CPython's own parser. Python 2 code and merge conflict marks are told as such.

## References

- [CPython: full grammar specification](https://docs.python.org/3/reference/grammar.html)
"""

from __future__ import annotations

from shutdown_lint.rules.base import Rule

RULE = Rule(
    code="SHD900",
    name="syntax-error",
    summary="the file cannot be parsed, so nothing in it was checked",
    tier="D",
    severity="error",
    triggers=(),
)
