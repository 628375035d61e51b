"""Ways out of a block: ``return``, ``raise``, ``break`` and ``continue`` among the steps, and what they keep from running."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shutdown_lint.project.step import Step

MAX_STEPS = (
    2_000  # of a function, with those of what it calls: each caller has them again, so that the number multiplies
)
MAX_LEVELS = 3  # of calls that are looked into where there are more
_BLOCKS = frozenset({"branch", "maybe", "part"})


def is_real(step: Step) -> bool:
    """Whether it is more than a way out."""
    if step.kind == "leave":
        return False
    return not (step.steps or step.kind in ("choice", "branch")) or any(map(is_real, step.steps))


def surely(found: Sequence[Step]) -> str:
    """How the steps leave their block in any case: ``return``, ``raise``, ``break`` or ``continue``; else empty."""
    return found[-1].text if found and found[-1].kind == "leave" else ""


def without(found: Iterable[Step], *texts: str) -> tuple[Step, ...]:
    """The steps without the ways out of those names (all, if none is given), and without what then is empty.

    It is for blocks behind which something runs all the same, a ``finally`` or the end of a ``with``: the sum of what is then taken
    for one way is an upper bound.
    """
    kept = []
    for step in found:
        if step.kind == "leave" and (not texts or step.text in texts):
            continue
        if step.steps and step.kind != "call":
            inner = without(step.steps, *texts)
            # an arm that is empty now stays: the arms of a choice are known by their order
            if step.kind == "choice" and not any(branch.steps for branch in inner):
                continue
            if not inner and step.kind != "branch":
                continue
            step = step._replace(steps=inner)
        kept.append(step)
    return tuple(kept)


def pruned(found: Sequence[Step], followed: bool = False) -> tuple[Step, ...]:
    """The steps without the ways out behind which nothing stands that they could skip."""
    kept: list[Step] = []
    for step in reversed(found):
        if step.kind == "leave":
            if followed:
                kept.append(step)
            continue
        if step.kind in ("choice", "loop", "limit") or step.kind in _BLOCKS:
            inner = (
                tuple(pruned((branch,), followed)[0] for branch in step.steps)
                if step.kind == "choice"
                else (pruned(step.steps, followed))
            )
            if step.kind == "choice" and not any(branch.steps for branch in inner):
                continue
            if inner or step.kind in _BLOCKS:
                kept.append(step._replace(steps=inner))
        else:
            kept.append(step)
        followed = followed or is_real(step)
    return tuple(reversed(kept))


def is_past(left: tuple[Step, ...], right: tuple[Step, ...]) -> bool:
    """Whether a way that runs one step never comes to another behind it: a block around the first returns or raises.

    Both are given by the steps around them, outermost first.
    """
    leaves = False
    for step in reversed(left):
        if any(step is other for other in right):
            return leaves
        if step.kind == "call":
            leaves = False
        elif step.kind in _BLOCKS and surely(step.steps) in ("return", "raise"):
            leaves = True
    return leaves


def bounded(found: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps without calls inside of calls, as few of them as keep the steps within ``MAX_STEPS``."""
    for levels in range(MAX_LEVELS, -1, -1):
        if not _exceeds(found, MAX_STEPS):
            break
        found = _cut(found, levels)
    return found


def _exceeds(found: Sequence[Step], most: int) -> bool:
    stack = list(found)
    while stack:
        most -= 1
        if most < 0:
            return True
        stack += stack.pop().steps
    return False


def _cut(found: Iterable[Step], levels: int) -> tuple[Step, ...]:
    kept = []
    for step in found:
        if step.steps:
            if step.kind == "call" and not levels:
                continue
            inner = _cut(step.steps, levels - (step.kind == "call"))
            if not inner and step.kind != "branch":
                continue
            step = step._replace(steps=inner)
        kept.append(step)
    return tuple(kept)
