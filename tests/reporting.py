"""Findings for the tests of the output formats, and text that tries to do harm in them."""

from __future__ import annotations

from shutdown_lint.facts import Span
from shutdown_lint.findings import Finding, Fix, Severity, Step
from shutdown_lint.report import View
from shutdown_lint.report.view import lines_of

SOURCE = (
    """\
class Worker:
    def start(self):
        threading.Thread(target=self._flush_loop, daemon=True).start()
\tself.go(
        1)
名前 = "値" + leave()
"""
    + "x" * 400
    + "BAD()"
    + "y" * 400
    + "\n"
)
PLACE = Span(3, 9, 3, 25)
EVIL = "a\x1b[31m\u202e\r\n\u200b\u2028\udcff\x9b\x7f\ud800\U000e0001"
MARKUP = (
    "</script><img src=x onerror=alert(1)> ]]> &lt; `x` **b** [a](http://e.x) | ::error::x ##vso[task.x]y; %0A @all"
)


def finding(
    span: Span = PLACE,
    path: str = "app/worker.py",
    code: str = "SHD202",
    severity: Severity = "error",
    message: str = "daemon thread `flusher` is killed mid-cleanup at exit",
    lost: tuple[Step, ...] = (),
    trace: tuple[Step, ...] = (),
    help: str = "keep the thread and join it",
    fix: Fix | None = None,
) -> Finding:
    """A finding of which only what matters need be said."""
    return Finding(path, span, code, f"name-of-{code}", message, severity, "D", "proven", lost, trace, help, fix)


LOST = (Step("app/spool.py", 41, 9, "`with open(path)` in flush"), Step("app/spool.py", 57, 9, "`db.commit()`"))
TRACE = (Step("app/main.py", 20, 1, "`main` returns"), Step("app/worker.py", 3, 9, "daemon threads are killed"))
FULL = finding(lost=LOST, trace=TRACE)


def hostile(text: str) -> Finding:
    """A finding with the text wherever text of the analysed program may stand."""
    step = Step(text, 1, 1, text)
    return finding(Span(1, 1, 1, 2), path=text, message=text, lost=(step,), trace=(step,), help=text)


def source_view(source: str = SOURCE) -> View:
    """A view that has the same text in every file."""
    return View(read=lambda _path: lines_of(source))
