"""SHD301: a program that SIGTERM kills gets a handler that ends it by ``SystemExit``.

``args["line"]`` and ``args["column"]`` are where the program's ``if __name__ == "__main__":`` stands. Its first line
becomes ``signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))``: 128 and the number of the signal, as shells have it. The
rule has shown that no clause on the way swallows the exit, and that no worker keeps the program from ending. Unsafe: the
cleanup runs on SIGTERM, and may wait.
"""

from __future__ import annotations

from collections.abc import Mapping

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes.entry import install
from shutdown_lint.fixes.tree import Tree


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Install a handler that exits."""
    return install(tree, args, "{signal}.signal({signal}.SIGTERM, lambda *_: {sys}.exit(143))")
