"""SHD302: SIGTERM ends the program as Ctrl-C does.

``args["line"]`` and ``args["column"]`` are where the program's ``if __name__ == "__main__":`` stands. Its first line
becomes ``signal.signal(signal.SIGTERM, signal.default_int_handler)``: a SIGTERM then raises ``KeyboardInterrupt`` in the
main thread, which the program takes for a request to stop already. The rule has shown that it does so by an ``except
KeyboardInterrupt``, and that no worker keeps it from ending. Unsafe: the cleanup runs on SIGTERM, and may wait.
"""

from __future__ import annotations

from collections.abc import Mapping

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes.entry import install
from shutdown_lint.fixes.tree import Tree


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Install the handler that Python has for Ctrl-C."""
    return install(tree, args, "{signal}.signal({signal}.SIGTERM, {signal}.default_int_handler)")
