"""Run the commands in README.md, docs/outputs.md and docs/map.md and put their output below them.

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

from writing import ROOT, write

PAGES = (ROOT / "README.md", ROOT / "docs/outputs.md", ROOT / "docs/map.md")
BLOCK = re.compile(
    r"(?P<head><!-- output -->\n(?P<fence>`{3,})console\n\$ shutdown-lint (?P<arguments>[^\n]*)\n).*?^(?P<end>(?P=fence)\n)",
    re.DOTALL | re.MULTILINE,
)


def output_of(arguments: str) -> str:
    """What the command prints, as seen from the root of the repository."""
    command = [sys.executable, "-m", "shutdown_lint", *shlex.split(arguments), "--color", "never"]
    env = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False, env=env)
    if done.returncode not in (0, 1):
        raise SystemExit(f"shutdown-lint {arguments}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def rendered(text: str) -> str:
    """The text with fresh output in its blocks."""
    return BLOCK.sub(lambda block: block["head"] + output_of(block["arguments"]) + block["end"], text)


def main(argv: list[str]) -> int:
    """See the module's docstring."""
    return write(((page, rendered(page.read_text(encoding="utf-8"))) for page in PAGES), argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
