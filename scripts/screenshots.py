"""Make the pictures in docs/images anew: the terminal's output, the HTML report, and pages of the site where it is built.

    ./dev docs
    python scripts/screenshots.py   # by a headless Chromium

They are for eyes; nothing compares them.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import re
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
NARROW = ("index.html", "rules/SHD407.html", "patterns/script.html")
DARK = ("--blink-settings=preferredColorScheme=0",)
COLUMNS = 92


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


def on_terminal(*arguments: str) -> str:
    """What shutdown-lint prints on a terminal, with its escape sequences."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 40, COLUMNS, 0, 0))
    command = [sys.executable, "-m", "shutdown_lint", *arguments]
    env = {**os.environ, "PYTHONIOENCODING": "utf-8", "TERM": "xterm-256color", "FORCE_HYPERLINK": "0"}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdin=theirs, stdout=theirs, stderr=theirs):
        os.close(theirs)
        chunks = []
        with contextlib.suppress(OSError):  # how the end of a terminal is told
            while chunk := os.read(ours, 4096):
                chunks.append(chunk)
    os.close(ours)
    return b"".join(chunks).decode().replace("\r\n", "\n")


def terminal(folder: Path) -> None:
    """The first findings as a terminal shows them, and nothing around it."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ shutdown-lint {SUBJECT}"))
    blocks = on_terminal(SUBJECT).split("\n\n")
    console.print(Text.from_ansi("\n\n".join([*blocks[1:3], "⋮", blocks[-1].rstrip()])), "")
    page = folder / "terminal.svg"
    picture = console.export_svg(title="shutdown-lint")
    page.write_text(picture, encoding="utf-8")
    width, height = map(float, re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', picture)[0])
    flags = ("--force-device-scale-factor=1.5", "--default-background-color=00000000")
    shoot(page, "terminal.png", math.ceil(width), math.ceil(height), *flags)


def site(folder: Path) -> None:
    """Pages of the documentation, as `./dev docs` has built it: wide ones, and some as a telephone shows them."""
    built = ROOT / "build/site"
    if built.is_dir():
        shoot(built / "rules/SHD101.html", "site-light.png", 1280, 1000)
        shoot(built / "semantics.html", "site-dark.png", 1280, 1000, *DARK)
        frames = [f'<iframe src="{(built / name).as_uri()}"></iframe>' for name in NARROW]
        style = "<style>body { margin: 0; display: flex; gap: 24px } iframe { border: 0; width: 360px; height: 780px }</style>"
        page = folder / "narrow.html"
        page.write_text(style + "".join(frames), encoding="utf-8")
        width = 384 * len(NARROW) - 24
        shoot(page, "site-narrow.png", width, 780, "--virtual-time-budget=3000")


def main() -> int:
    """See the module's docstring."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        page = folder / "report.html"
        page.write_text(run("--output-format", "html"), encoding="utf-8")
        shoot(page, "report-light.png", 1200, 900)
        shoot(page, "report-dark.png", 1200, 900, *DARK)
        terminal(folder)
        page.write_text(run("--output-format", "html", command=["map"]), encoding="utf-8")
        shoot(page, "map.png", 1240, 580)
        site(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
