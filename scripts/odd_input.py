"""Make docs/odd-input.md of tests/odd_input.py.

python scripts/odd_input.py          write it
python scripts/odd_input.py --check  write nothing, fail when it differs
"""

from __future__ import annotations

import sys

from writing import ROOT, write

sys.path.insert(0, str(ROOT / "tests"))

from odd_input import ROWS

PAGE = ROOT / "docs" / "odd-input.md"
HEAD = """\
# Odd input

<!-- written by scripts/odd_input.py from tests/odd_input.py, where each line names its tests -->

What becomes of files that break other programs, and of runs that things happen to. The exit code is that of a run on this
input alone, where it holds a finding if it can. 0: clean, 1: findings, 2: something could not be analysed. How well that
holds at random is measured on [another page](robustness.md).
"""


def render() -> str:
    """The page."""
    parts = [HEAD]
    for title, rows in ROWS.items():
        lines = "".join(f"| {row.text} | {row.code} | {row.what} |\n" for row in rows)
        parts.append(f"\n## {title}\n\n| input | exit code | |\n|---|---|---|\n{lines}")
    return "".join(parts)


def main(argv: list[str]) -> int:
    """See the module's docstring."""
    PAGE.touch()
    return write([(PAGE, render())], argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
