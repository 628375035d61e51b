"""Running the engine and its fixes on the current folder, for the tests of fixes."""

from __future__ import annotations

import os
from pathlib import Path

from shutdown_lint import engine, fixes
from shutdown_lint.settings import Settings

BAD = b"import sys\n\n\ndef main():\n    exit(1)  # bye\n\n\nmain()\n"
GOOD = BAD.replace(b"exit(1)", b"sys.exit(1)")


def new_project(folder: Path) -> Path:
    """An empty project in a folder of its own."""
    root = folder / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text("")
    return root


def settings_for(*select: str) -> Settings:
    """Settings for the current folder; the rule of ``BAD`` unless others are named."""
    return Settings(root=os.getcwd(), select=select or ("SHD108",), jobs=1)


def fix(*paths: str, diff: bool = False) -> fixes.FixResult:
    """Check and fix the paths, or the current folder."""
    settings = settings_for()
    return fixes.apply(engine.check(paths or ["."], settings), paths or ["."], settings, diff=diff)


def holds_only(project: Path, *names: str) -> bool:
    """Whether the project holds these files and nothing else, temporary files above all."""
    return sorted(os.listdir(project)) == sorted(("pyproject.toml", *names))
