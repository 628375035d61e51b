"""What the scripts that write pages share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def write(pages: Iterable[tuple[Path, str]], argv: Sequence[str]) -> int:
    """Write the pages whose text differs; with ``--check`` only tell which do. Returns the exit code of the script."""
    check, changed = "--check" in argv, 0
    for page, text in pages:
        if text != page.read_text(encoding="utf-8"):
            changed += 1
            print(f"{'differs' if check else 'wrote'}: {page.relative_to(ROOT)}")
            if not check:
                page.write_text(text, encoding="utf-8")
    return int(check and changed > 0)


def put(page: Path, script: str, text: str) -> None:
    """Put what a script measured into its part of a page, between ``<!-- measured: SCRIPT … -->`` and ``<!-- /measured -->``."""
    head, begin, rest = page.read_text(encoding="utf-8").partition(f"<!-- measured: python {script}")
    mark, _, rest = rest.partition("\n")
    _, end, tail = rest.partition("<!-- /measured -->")
    if not begin or not end:
        raise SystemExit(f"{page}: no part for {script}")
    page.write_text(f"{head}{begin}{mark}\n{text}{end}{tail}", encoding="utf-8")
