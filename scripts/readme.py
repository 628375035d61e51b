"""Run the commands in README.md and put their output below them.

    python scripts/readme.py          write what differs
    python scripts/readme.py --check  write nothing, fail when something differs

Blocks that follow the comment ``<!-- output -->`` are rewritten: each begins with ``$ shutdown-lint ARGUMENTS``.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BLOCK = re.compile(r"(<!-- output -->\n```console\n\$ shutdown-lint ([^\n]*)\n)(.*?)(```\n)", re.DOTALL)


def output_of(arguments: str) -> str:
    """What the command prints, as seen from the root of the repository."""
    command = [sys.executable, "-m", "shutdown_lint", *shlex.split(arguments), "--color", "never"]
    env = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False, env=env)
    if done.returncode not in (0, 1):
        raise SystemExit(f"shutdown-lint {arguments}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def rendered(text: str) -> str:
    """The text with fresh output in its blocks."""
    return BLOCK.sub(lambda block: f"{block[1]}{output_of(block[2])}{block[4]}", text)


def main(argv: list[str]) -> int:
    """See the module's docstring."""
    old = README.read_text(encoding="utf-8")
    new = rendered(old)
    if new == old:
        return 0
    print(f"{'differs' if '--check' in argv else 'wrote'}: README.md")
    if "--check" in argv:
        return 1
    README.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
