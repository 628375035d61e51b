"""The steps of a call that ends one thing: a wait for it with its limit, a stop, a release, a word to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shutdown_lint.facts import Attr, Call, Const, Expr
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.limits import deadline, seconds
from shutdown_lint.project.step import Step, at_span
from shutdown_lint.project.values import External, Instance
from shutdown_lint.walk import Site, argument, last_name, text

if TYPE_CHECKING:
    from shutdown_lint.project import Project
    from shutdown_lint.project.protocol import Wait

_SENDERS = ("os.kill", "os.killpg", "signal.pidfd_send_signal")  # to another process
_RAISERS = ("signal.raise_signal",)
_EVENTS = ("threading.Event", "multiprocessing.Event", "asyncio.Event")
# Names by which an object of unknown type is released; the step says no more than that the code does it.
_RELEASES = frozenset({
    "close", "aclose", "shutdown", "stop", "terminate", "disconnect", "wait_closed", "cleanup", "release", "cancel", "kill", "join",
})  # fmt: skip
# Names by which one waits for an object of unknown type, where the result is dropped (that of `str.join` never is).
_WAITS = frozenset({"join", "wait"})

_POLLS = frozenset({"poll"})  # ends nothing: it reaps a child that has ended


class Ends:
    """Reads the calls of one function by the objects on which they are made."""

    def __init__(self, fn: Fn, project: Project) -> None:
        self._fn, self._project = fn, project

    def _is_object(self, receiver: Expr, names: tuple[str, ...]) -> bool:
        """An object of unknown type, or of a class of a library; no module, and nothing of the language itself."""
        if not names:
            return not isinstance(receiver, Const)
        values = self._project.evaluate.values(receiver, self._fn)
        classes = [value.cls for value in values if isinstance(value, Instance) and isinstance(value.cls, str)]
        return bool(classes) and not any(cls.startswith("builtins.") for cls in classes)

    def wait(self, wait: Wait) -> Iterator[Step]:
        """A call that is known to wait."""
        call = wait.site.call
        if wait.model.call.endswith("Queue.put") and self._is_unbounded(call):
            return
        found = self._limited(call, self._given(wait), wait.bounded or wait.model.wakes == "time", wait.site)
        if self._is_sure_to_end(call):
            yield at_span("wait", text(call), call.span, self._fn, site=wait.site)
        elif found.limit != 0.0 and not (wait.model.call == "os.waitpid" and _polls(call)):
            yield found

    def elsewhere(self, function: Expr, call: Call, site: Site | None) -> Iterator[Step]:
        """A function of a library that another thread runs, with the arguments of the call: ``to_thread(q.get, timeout=10)``."""
        models = self._project.models
        names = [v.name for v in self._project.evaluate.values(function, self._fn) if isinstance(v, External)]
        model = next((found for name in names if (found := models.blocking.get(models.canonical(name)))), None)
        if model is not None:
            bounded = self._project.protocol.is_bounded(call, model)
            given = argument(call, model.position if model.position >= 0 else 99, model.timeout or "\0")
            said = text(site.call if site is not None else call)
            yield self._limited(call, given, bounded, site)._replace(text=said)

    def _is_unbounded(self, call: Call) -> bool:
        """Whether the queue surely was made without a size: ``put`` never waits."""
        queues = self._project.evaluate.values(call.func.value, self._fn) if isinstance(call.func, Attr) else ()
        made = [value.call for value in queues if isinstance(value, Instance)]
        return bool(made) and all(call is not None and not call.args for call in made)

    def _limited(self, call: Call, given: Expr | None, bounded: bool, site: Site | None) -> Step:
        """A wait with the limit that is given for it; a rest of the time until a deadline is at most that of the deadline."""
        until = deadline(given, self._fn)
        given = until.after if until is not None else given
        limit = seconds(given, self._fn, self._project) if bounded else None
        found = at_span("wait", text(call), call.span, self._fn, limit=limit, bounded=bounded, site=site, given=given)
        return found._replace(deadline=f"{self._fn.qualname}:{until.name}") if until is not None else found

    def _given(self, wait: Wait) -> Expr | None:
        """The expression that limits the wait."""
        call, model = wait.site.call, wait.model
        if model.wakes == "time":
            return argument(call, 0, "secs")
        if not wait.bounded:
            return None
        for keyword in ("block", "blocking", "wait"):
            given = argument(call, 0, keyword)
            if isinstance(given, Const) and given.value is False:
                return Const(0)
        return argument(call, model.position if model.position >= 0 else 99, model.timeout or "\0")

    def _is_sure_to_end(self, call: Call) -> bool:
        """A wait for a child of which the same function has written ``kill()`` in a line before."""
        receiver = call.func.value if isinstance(call.func, Attr) else None
        return receiver is not None and any(
            last_name(site.call.func) in ("kill", "killpg")
            and site.call.span.line < call.span.line
            and isinstance(site.call.func, Attr)
            and text(site.call.func.value) == text(receiver)
            for site in self._fn.sites
        )

    def told(self, call: Call, last: str, names: tuple[str, ...], site: Site | None) -> Iterator[Step]:
        """A stop or a release, by the type of the receiver; by its name where the type is unknown."""
        if not isinstance(call.func, Attr):
            return
        if any(name in _SENDERS for name in names) and len(call.args) > 1 and not _is_zero(call.args[1].value):
            yield at_span("tell", text(call), call.span, self._fn, site=site)
            return
        if any(name in _RAISERS for name in names):
            yield at_span("tell", text(call), call.span, self._fn, site=site)
            return
        if last == "set" and any(name.rpartition(".")[0] in _EVENTS for name in names):
            yield at_span("tell", text(call), call.span, self._fn, site=site)
            return
        model = self._project.resources.model_of(call.func.value, self._fn)
        known = model is not None and last in model.release
        if last in _WAITS and site is not None and site.dropped and (known or (model is None and not names)):
            given = call.args[0].value if call.args else None
            if self._is_sure_to_end(call):
                yield at_span("wait", text(call), call.span, self._fn, site=site)
            else:
                yield self._limited(call, given, given is not None, site)
        elif model is not None and last in model.release and last not in _POLLS:
            yield at_span("release", text(call), call.span, self._fn, site=site)
        elif model is not None and last in model.stop:
            yield at_span("stop", text(call), call.span, self._fn, site=site)
        elif model is None and last in _RELEASES and self._is_object(call.func.value, names):
            yield at_span("release", text(call), call.span, self._fn, site=site)


def _polls(call: Call) -> bool:
    """``os.waitpid(pid, os.WNOHANG)``."""
    return len(call.args) > 1 and not _is_zero(call.args[1].value)


def _is_zero(expr: Expr) -> bool:
    return isinstance(expr, Const) and expr.value == 0
