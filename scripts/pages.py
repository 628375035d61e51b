"""Put into the pages of docs/ what is written or measured elsewhere.

    python scripts/pages.py          write what differs
    python scripts/pages.py --check  write nothing, fail when something differs

- ``<!-- include: FILE -->`` before a fenced block: the block holds the file (named from the page's folder).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from writing import ROOT, write

INCLUDE = re.compile(
    r"(?P<head><!-- include: (?P<file>[^\n]+) -->\n(?P<fence>`{3,})\w*\n).*?^(?P<end>(?P=fence)\n)",
    re.DOTALL | re.MULTILINE,
)


def rendered(page: Path) -> str:
    """The text that the page should have."""

    def included(match: re.Match[str]) -> str:
        return match["head"] + (page.parent / match["file"]).read_text(encoding="utf-8") + match["end"]

    return INCLUDE.sub(included, page.read_text(encoding="utf-8"))


def main(argv: list[str]) -> int:
    """See the module's docstring."""
    pages = sorted((ROOT / "docs").glob("**/*.md"))
    return write(((page, rendered(page)) for page in pages), argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
