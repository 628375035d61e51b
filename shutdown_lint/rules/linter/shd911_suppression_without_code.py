"""A blanket suppression hides a finding without naming it.

## What it does

Reports a bare `# noqa` or `# flake8: noqa` that hides a finding of this linter.

## Why it matters

The comment was most likely written for another tool. Nobody decided that the cleanup may be lost, and whatever comes
next on that line is hidden too.

## Example

```python
import os
import tempfile


def main():
    with tempfile.TemporaryDirectory() as folder:
        print(folder)
        os._exit(1)  # noqa


if __name__ == "__main__":
    main()
```

## Use instead

```python
import os
import tempfile


def main():
    with tempfile.TemporaryDirectory() as folder:
        print(folder)
        os._exit(1)  # noqa: SHD101


if __name__ == "__main__":
    main()
```

## Precision

It speaks only where a finding was really hidden.

## References

- [flake8: selecting and ignoring violations](https://flake8.pycqa.org/en/latest/user/violations.html)
"""

from __future__ import annotations

from shutdown_lint.rules.base import Rule

RULE = Rule(
    code="SHD911",
    name="suppression-without-code",
    summary="a blanket suppression hides a finding without naming it",
    tier="S",
    severity="info",
    triggers=(),
)
