"""SHD201: the method that stops a thread's owner tells the thread to end, and joins it.

``args``: ``line`` and ``column`` of the method's name; ``thread``, the attribute that keeps the thread; ``flag``, the
attribute that its loop tests (empty: it ends by itself); ``tell``, what ends the loop: ``set``, or a value for the flag, or
nothing where the method says it already; ``guard``: ``none`` where the attribute may be None, ``alive`` where the thread
may not be started yet. The rule has shown that these are right, that the loop waits for nothing else without limit, and
that the thread does not call the method itself. Unsafe: the stop waits for the thread.

======================  =================================
before                  after
======================  =================================
``def close(self):``    ``def close(self):``
``    self.db.close()`` ``    self._stop.set()``
..                      ``    self._thread.join()``
..                      ``    self.db.close()``
======================  =================================
"""

from __future__ import annotations

from collections.abc import Mapping

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes.stopping import add, guarded, method
from shutdown_lint.fixes.tree import Tree

_TESTS = {"none": "{} is not None", "alive": "{}.is_alive()"}


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Add the lines to the method."""
    thread, flag, tell = f"self.{args['thread']}", args["flag"], args["tell"]
    told = f"self.{flag}.set()" if tell == "set" else f"self.{flag} = {tell}"
    test = _TESTS.get(args["guard"], "").format(thread)
    stop = method(tree, args)
    lines = [*([told] if tell else []), *guarded(tree, stop, test, [f"{thread}.join()"])]
    return [add(tree, stop, lines, "" if tell else flag)]
