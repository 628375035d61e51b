"""The file or folder cannot be read, so nothing in it was checked.

## What it does

Reports a path that does not exist, a file or folder without read permission, and things named like a Python file that
are none: pipes, sockets, devices. Only regular files are ever opened.

## Why it matters

A misspelt path in a CI job must not turn the job green. The run ends with exit code 2.

## Use instead

Correct the path or its permissions, or exclude it.

## Precision

The operating system's own answer is quoted.

## References

- [errno: system symbols](https://docs.python.org/3/library/errno.html)
"""

from __future__ import annotations

from shutdown_lint.rules.base import Rule

RULE = Rule(
    code="SHD901",
    name="unreadable-file",
    summary="the file or folder cannot be read, so nothing in it was checked",
    tier="D",
    severity="error",
    triggers=(),
)
