"""Make the pictures in docs/images anew: the terminal's output, the HTML report, and pages of the site where it is built.

    ./dev docs
    python scripts/screenshots.py   # by a headless Chromium

They are for eyes; nothing compares them.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs/images"
SUBJECT = "examples/worker"
COLUMNS = 122  # what is printed elsewhere than to a terminal fits


def run(*arguments: str, command: Sequence[str] = ()) -> str:
    """What shutdown-lint prints about the example."""
    command = [sys.executable, "-m", "shutdown_lint", *command, SUBJECT, *arguments]
    env = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False, env=env).stdout


def chromium() -> str:
    """The browser's path."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        raise SystemExit("no Chromium (Debian: apt-get install chromium)")
    return found


def shoot(page: Path, image: str, width: int, height: int, *flags: str) -> None:
    """A picture of a page."""
    command = [chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *flags]
    command += [f"--window-size={width},{height}", f"--screenshot={IMAGES / image}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    print(f"wrote: docs/images/{image}")


def terminal(folder: Path) -> None:
    """The first findings as a terminal shows them."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ shutdown-lint {SUBJECT}"))
    console.print(Text.from_ansi("\n\n".join(run("--color", "always").split("\n\n")[:3])))
    page = folder / "terminal.svg"
    page.write_text(console.export_svg(title="shutdown-lint"), encoding="utf-8")
    shoot(page, "terminal.png", 1524, 590)


def site() -> None:
    """Two pages of the documentation, as `./dev docs` has built it."""
    built = ROOT / "build/site"
    if built.is_dir():
        shoot(built / "patterns/threaded-worker.html", "site-light.png", 1280, 1000)
        shoot(built / "semantics.html", "site-dark.png", 1280, 1000, "--blink-settings=preferredColorScheme=0")


def main() -> int:
    """See the module's docstring."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        page = folder / "report.html"
        page.write_text(run("--output-format", "html"), encoding="utf-8")
        shoot(page, "report-light.png", 1200, 900)
        shoot(page, "report-dark.png", 1200, 900, "--blink-settings=preferredColorScheme=0")
        terminal(folder)
        page.write_text(run("--output-format", "html", command=["map"]), encoding="utf-8")
        shoot(page, "map.png", 1240, 580)
    site()
    return 0


if __name__ == "__main__":
    sys.exit(main())
