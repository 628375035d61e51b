"""Walk docs/first-steps.md anew: run its commands, in order, and put below each what it prints.

    python scripts/walk.py          write what differs
    python scripts/walk.py --check  write nothing, fail when something differs

The first block of commands, which installs, is not run: the commands are those beside this Python. Blocks of Python are
written to the file that their title names. Needs git and a shell of POSIX.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from writing import ROOT, write

PAGE = ROOT / "docs/first-steps.md"
BLOCK = re.compile(
    r"^```(?P<kind>console|python)(?: title=\"(?P<name>[^\"]+)\")?\n(?P<text>.*?)^```\n", re.DOTALL | re.MULTILINE
)
IDENTITY = {f"GIT_{role}_{key}": "you@example.org" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
KEPT = ("HOME", "LANG", "TMPDIR", "TEMP", "XDG_CACHE_HOME")


class Walk:
    """A shell's current folder and environment, from one command to the next."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "shutdown-lint").symlink_to(ROOT)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        kept = {name: value for name, value in os.environ.items() if name in KEPT}
        settings = {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "PRE_COMMIT_HOME": str(folder / "pre-commit"),
            "PYTHONIOENCODING": "utf-8",
        }
        self._environment = {**kept, **IDENTITY, **settings, "PATH": path}

    def run(self, command: str) -> str:
        """What the command prints, on stdout and stderr."""
        folder, mark = self._folder, "\0"
        done = subprocess.run(
            ["sh", "-c", f"{command}\nprintf '\\0%s' \"$PWD\""],
            cwd=folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=600,
            check=False,
        )
        printed, _, place = done.stdout.partition(mark)
        self._folder = Path(place)
        return printed

    def place(self, name: str, text: str) -> None:
        """Write a file."""
        (self._folder / name).write_text(text, encoding="utf-8")


def rendered(page: str, folder: Path) -> str:
    """The page with fresh output below its commands; the walk starts in this empty folder."""
    walk, (first, *_) = Walk(folder), BLOCK.finditer(page)

    def walked(block: re.Match[str]) -> str:
        if block["kind"] == "python":
            walk.place(block["name"], block["text"])
            return block[0]
        commands = [line for line in block["text"].splitlines() if line.startswith("$ ")]
        return "```console\n" + "".join(f"{line}\n{walk.run(line[2:])}" for line in commands) + "```\n"

    return page[: first.end()] + BLOCK.sub(walked, page[first.end() :])


def main(argv: list[str]) -> int:
    """See the module's docstring."""
    with tempfile.TemporaryDirectory() as folder:
        return write([(PAGE, rendered(PAGE.read_text(encoding="utf-8"), Path(folder)))], argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
