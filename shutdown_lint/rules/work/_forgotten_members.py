"""Members that a class forgets, seen from the class: beside another member, another end, a base or a container that it sees to."""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import ModuleFacts
from shutdown_lint.findings import Finding
from shutdown_lint.project import Project
from shutdown_lint.project.tracks import Attribute
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.work._dropped import Dropped, dropped
from shutdown_lint.rules.work._entered_by_hand import Entered, entered_by_hand
from shutdown_lint.rules.work._half_of_a_pair import Half, halves
from shutdown_lint.rules.work._moved_on import MovedOn, moved_on
from shutdown_lint.rules.work._one_sided import OneSided, one_sided
from shutdown_lint.rules.work._siblings import Forgotten, forgotten_siblings
from shutdown_lint.rules.work._two_ends import LeftOut, left_out
from shutdown_lint.walk import text


def forgotten(rule: Rule, module: ModuleFacts, seen: set[Attribute], project: Project) -> Iterator[Finding]:
    """What the classes of the module forget, by each of these signs; ``seen`` are the attributes that were told of already."""
    for cls in project.modules.of(module).classes:
        for found in dropped(cls, project):
            yield _forgotten(rule, module, found)
        for entered in entered_by_hand(cls, project):
            if not any(held.name == entered.member for held in seen):
                yield _entered(rule, module, entered)
        for other in forgotten_siblings(cls, project):
            if not any(held.name == other.member for held in seen):
                seen.add(Attribute(cls, other.member, False))
                yield _unlike(rule, module, other)
        for out in left_out(cls, project):
            yield _left_out(rule, module, out)
        for half in halves(cls, project):
            yield _half(rule, module, half)
        for moved in moved_on(cls, project):
            yield _moved(rule, module, moved)
        for started in one_sided(cls, project):
            if not any(held.name == started.member for held in seen):
                yield _one_sided(rule, module, started)


def _entered(rule: Rule, module: ModuleFacts, found: Entered) -> Finding:
    enter, stop = text(found.site.call), found.stop
    where = f"`{stop.qualname}` forgets it" if stop is not None else "there is no method that could"
    return rule.finding(
        module,
        found.site.call.span,
        f"`{enter}` in `{found.fn.qualname}` enters `self.{found.member}` by hand, and nothing ever leaves it: {where}",
        tier=None if found.sure else "S",
        trace=(stop.step(stop.facts.span, f"`{stop.qualname}` does not touch it"),) if stop is not None else (),
        help=f"call `self.{found.member}.{found.leaves}(None, None, None)` where the object ends, or enter it in an exit stack that is closed there",
    )


def _unlike(rule: Rule, module: ModuleFacts, found: Forgotten) -> Finding:
    like = text(found.like)
    return rule.finding(
        module,
        found.made.span,
        f"`{found.stop.qualname}` calls `{like}` and forgets `self.{found.member}`: `{found.ends.qualname}` never runs",
        lost=(found.ends.step(found.ends.facts.span, f"`{found.ends.qualname}`"),),
        trace=(found.stop.step(found.like.span, f"`{like}` in `{found.stop.qualname}`"),),
        help=f"call `self.{found.member}.{found.ends.name}()` in `{found.stop.qualname}` too",
    )


def _left_out(rule: Rule, module: ModuleFacts, found: LeftOut) -> Finding:
    ending = text(found.ending)
    return rule.finding(
        module,
        found.other.facts.span,
        f"`{found.other.qualname}` is another way to end what `{found.whole.qualname}` ends, and forgets `{found.member}`: `{ending}` never runs there",
        tier=None if found.sure else "S",
        lost=(found.by.step(found.ending.span, f"`{ending}` in `{found.by.qualname}`"),),
        help=f"call `{ending}` in `{found.other.qualname}` too",
    )


def _half(rule: Rule, module: ModuleFacts, found: Half) -> Finding:
    start, ends = text(found.start.call), found.ends
    return rule.finding(
        module,
        found.start.call.span,
        f"`{found.fn.qualname}` calls `{start}`, and nobody calls `{ends.name}()` of that object, as `{found.like.qualname}` does",
        tier=None if found.sure else "S",
        lost=(ends.step(ends.facts.span, f"`{ends.qualname}`"),),
        help=f"call `self.{ends.name}()` where the object ends",
    )


def _moved(rule: Rule, module: ModuleFacts, found: MovedOn) -> Finding:
    return rule.finding(
        module,
        found.moving.call.span,
        f"`{found.stop.qualname}` ends what is in `self.{found.kept}`, and forgets what `{found.mover.qualname}` moves to `self.{found.member}`",
        trace=(found.stop.step(found.stop.facts.span, f"`{found.stop.qualname}` does not look there"),),
        help=f"call `{found.ending}()` on each element of `self.{found.member}` too",
    )


def _one_sided(rule: Rule, module: ModuleFacts, found: OneSided) -> Finding:
    start, ends = text(found.start.call), found.ends
    return rule.finding(
        module,
        found.start.call.span,
        f"`{found.starter.qualname}` calls `{start}`, and `{found.stop.qualname}` forgets `self.{found.member}`: `{ends.qualname}` never runs",
        lost=(ends.step(ends.facts.span, f"`{ends.qualname}`"),),
        trace=(found.stop.step(found.stop.facts.span, f"`{found.stop.qualname}` does not end it"),),
        help=f"call `self.{found.member}.{ends.name}()` in `{found.stop.qualname}` too",
    )


def _forgotten(rule: Rule, module: ModuleFacts, found: Dropped) -> Finding:
    release = text(found.releasing.call.func).rpartition(".")[2]
    span = getattr(found.at.stmt, "span", found.method.facts.span)
    return rule.finding(
        module,
        span,
        f"`{found.method.qualname}` forgets what `self.{found.name}` holds without `{release}()`: it stays open",
        lost=(
            found.releaser.step(
                found.releasing.call.span, f"`{text(found.releasing.call)}`, as `{found.releaser.qualname}` does"
            ),
        ),
        help=f"call `{release}()` on each element of `self.{found.name}` before it is emptied",
    )
