"""The settings of a run, after defaults, configuration file and command line are merged. Data only."""

from __future__ import annotations

from typing import NamedTuple

DEFAULT_EXCLUDE = (
    ".bzr",
    ".direnv",
    ".eggs",
    ".git",
    ".hg",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".pytest_cache",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    "__pypackages__",
    "_build",
    "build",
    "dist",
    "node_modules",
    "site-packages",
    "venv",
)


class Component(NamedTuple):
    """A part of the program that is ended on the way out: a class or function by its dotted name.

    Components of a lower ``priority`` end first (0: the order does not matter); each has ``limit`` seconds, None for no promise.
    """

    name: str
    priority: int
    limit: float | None


class Budget(NamedTuple):
    """How long a shutdown may take: ``grace`` is in seconds, from SIGTERM to SIGKILL (30: Kubernetes)."""

    grace: float = 30.0
    components: tuple[Component, ...] = ()


class Settings(NamedTuple):
    """What a run does.

    ``select`` and the like hold selectors as the user wrote them: a code (``SHD101``), a prefix (``SHD1``), a name
    (``exit-skips-cleanup``), or ``ALL``; an empty ``select`` means tier D. ``root`` is the project root: the scope of
    knowledge. ``per_file_ignores`` maps globs to selectors. ``target_version`` is ``(3, 10)`` and so on.
    """

    root: str = "."
    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    extend_exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    respect_gitignore: bool = True
    src: tuple[str, ...] = (".", "src")
    target_version: tuple[int, int] = (3, 10)
    knowledge: str = "project"  # "project": the whole project root; "paths": only the paths given
    models: str = ""  # the user's own models: checked tables as JSON, so that settings can be compared and hashed
    budget: Budget = Budget()
    cache: str = ""  # the folder of the cache; empty: none
    severity: tuple[tuple[str, str], ...] = ()  # selectors, each with the severity that its rules have here
    fail_on: str = "info"  # findings of this severity and above make the exit code 1
    baseline: str = ""  # the file of known findings
    deployment: bool = True  # deployment files too, not only Python
    jobs: int = 0  # 0: as many as the machine has cores, when the work repays them
    stdin_filename: str = ""
