"""Places of which one run reaches at most one, by the comparisons around them."""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Expr, If, Op
from shutdown_lint.walk import At, same


def excludes(left: At, right: At) -> bool:
    """``if os.name == "posix": here`` … ``if os.name == "posix": … else: there``: one of them runs."""
    theirs = tuple(_compared(right))
    return any(
        same(subject, other) and _contradict(equal, same(value, against), also)
        for subject, value, equal in _compared(left)
        for other, against, also in theirs
    )


def _contradict(equal: bool, same_value: bool, also: bool) -> bool:
    """Two different values at once, or one value that is and is not."""
    return equal != also if same_value else equal and also


def _compared(at: At) -> Iterator[tuple[Expr, Expr, bool]]:
    """What is equal, or not equal, to what where the place runs."""
    for place in at.around():
        test = place.outer.stmt.test if place.outer is not None and isinstance(place.outer.stmt, If) else None
        if isinstance(test, Op) and test.op in ("==", "is", "!=", "is-not") and len(test.operands) == 2:
            if place.part in ("body", "orelse"):
                yield test.operands[0], test.operands[1], (test.op in ("==", "is")) == (place.part == "body")
