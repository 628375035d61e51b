"""The flake8 plugin: all findings of shutdown-lint under the prefix ``SHD``.

Rules, tiers and files come from ``[tool.shutdown-lint]``, not from flake8's ``select``, which would turn on strict and
preview rules along with the rest of the prefix; ``select``, ``ignore``, ``per-file-ignores`` and ``# noqa`` of flake8
act on what is left. flake8 calls ``parse_options`` once, and once more in each worker that was not forked.
"""

from __future__ import annotations

import ast
import atexit
import os
import shutil
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from shutdown_lint import __version__

if TYPE_CHECKING:
    import argparse

    from shutdown_lint.flake8_shared import Row, Scope
    from shutdown_lint.settings import Settings

_STDIN = "-"
_NO_NAME = "stdin"  # what flake8 calls stdin when it is given no name


class OptionManager(Protocol):
    """The part of flake8's option manager that is used here; flake8 ships no types."""

    def add_option(self, *names: str, **settings: Any) -> None:
        """Declare an option."""


class Plugin:
    """Reports the findings in one file. flake8 makes an instance for each file and iterates over ``run()``."""

    name = "shutdown-lint"
    version = __version__
    scope: ClassVar[Scope]

    def __init__(self, tree: ast.AST, lines: Sequence[str], filename: str) -> None:
        # without `tree` among the parameters flake8 would not call the plugin once for each file
        self.text = "".join(lines)
        self.filename = filename

    @classmethod
    def add_options(cls, option_manager: OptionManager) -> None:
        """Declare ``--shutdown-config``."""
        option_manager.add_option(
            "--shutdown-config",
            default="",
            metavar="FILE",
            parse_from_config=True,
            normalize_paths=True,
            help="configuration file of shutdown-lint (default: the nearest pyproject.toml or shutdown-lint.toml)",
        )

    @classmethod
    def parse_options(cls, option_manager: OptionManager, options: argparse.Namespace, args: list[str]) -> None:
        """Read the configuration. Raises flake8's ``ExecutionError`` where it is wrong, before any file is checked."""
        from shutdown_lint.flake8_shared import Scope, forget, is_worker, shared_folder

        forget()
        paths = tuple(options.filenames) or (os.curdir,)
        folder = shared_folder()
        if not is_worker():
            # what an earlier run in this process left is of another time
            _remove(folder)
            atexit.unregister(_remove)
            atexit.register(_remove, folder)
        cls.scope = Scope(paths, _settings(options, paths), folder)

    def run(self) -> Iterator[tuple[int, int, str, type[Any]]]:
        """Yield ``(line, column, "SHD101 message", type)``: lines 1-based, columns 0-based."""
        for row in self._rows():
            yield row.line, row.col, row.text, type(self)

    def _rows(self) -> list[Row]:
        from shutdown_lint.flake8_shared import Row, is_worker, rows_for

        # alone, a process has nobody to share with
        scope = self.scope if is_worker() else self.scope._replace(folder="")
        try:
            return rows_for(scope, self.filename, self.text)
        except Exception as error:  # noqa: BLE001  # anything raised here would end flake8 with all its other plugins
            from shutdown_lint.intake import internal_error

            trouble = internal_error("the flake8 plugin", error)
            return [Row(trouble.line, trouble.col - 1, f"{trouble.code} {trouble.message}; {trouble.help}")]


def _remove(folder: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _settings(options: argparse.Namespace, paths: Sequence[str]) -> Settings:
    from flake8.exceptions import ExecutionError  # type: ignore[import-untyped]  # flake8 ships no types

    from shutdown_lint import config

    name = options.stdin_display_name if options.stdin_display_name != _NO_NAME else ""
    places = [(name or os.curdir) if path == _STDIN else path for path in paths]
    try:
        root = config.find_root(places)
        layer = config.read(options.shutdown_config) if options.shutdown_config else config.find(places)
        settings = config.to_settings(config.rebase(layer, root.folder), root)
    except config.ConfigError as error:
        raise ExecutionError(f"shutdown-lint: {error}") from error
    jobs = 0 if options.jobs.is_auto else max(options.jobs.n_jobs, 1)
    # flake8 names every file: an exclude of ours would otherwise mean nothing
    return settings._replace(force_exclude=True, jobs=jobs, stdin_filename=name)
