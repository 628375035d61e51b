"""Put into the pages of docs/ what is written or measured elsewhere.

    python scripts/pages.py          write what differs
    python scripts/pages.py --check  write nothing, fail when something differs

- ``<!-- include: FILE -->`` before a fenced block: the block holds the file (named from the page's folder).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
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
    changed = 0
    for page in sorted((ROOT / "docs").glob("**/*.md")):
        new = rendered(page)
        if new != page.read_text(encoding="utf-8"):
            changed += 1
            print(f"{'differs' if '--check' in argv else 'wrote'}: {page.relative_to(ROOT)}")
            if "--check" not in argv:
                page.write_text(new, encoding="utf-8")
    return int(bool(changed) and "--check" in argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
