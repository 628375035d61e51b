"""One run as a whole, with rules made for the purpose: scopes, tiers, failures, suppressions, on-demand lowering, jobs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shutdown_lint import corpus, engine, workers
from shutdown_lint.facts import ModuleFacts
from shutdown_lint.findings import Finding
from shutdown_lint.intake import Outcome, Task, take_in
from shutdown_lint.project import Project
from shutdown_lint.rules import registry
from shutdown_lint.rules.registry import Entry, UnknownSelector
from shutdown_lint.settings import Settings
from shutdown_lint.walk import dotted

HAZARD = "def stop():\n    hazard()\n"


def entry(code: str, name: str, tier: str, *triggers: str) -> Entry:
    return Entry(code, name, "text", tier, "error", "none", triggers, "", "0.1.0", (), True)  # type: ignore[arg-type]  # a literal


DEFAULT, STRICT, BROKEN = (
    entry("SHD198", "calls-hazard", "D", "hazard"), entry("SHD298", "calls-risk", "S", "risk"),
    entry("SHD398", "always-fails", "P", "hazard"),
)


def calls(name: str, rule: Entry) -> registry.Check:
    def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
        for fn in project.functions(module):
            for site in fn.sites:
                if dotted(site.call.func) == name:
                    callers = len(project.calls.callers(fn))
                    tier = "S" if rule.tier == "S" or site.call.args else "D"
                    yield Finding(module.path, site.call.span, rule.code, rule.name, f"{callers} callers", "error", tier)

    return check


def fails(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    raise RuntimeError("not today\nsecond line")
    yield


CHECKS = {"SHD198": calls("hazard", DEFAULT), "SHD298": calls("risk", STRICT), "SHD398": fails}


@pytest.fixture(autouse=True)
def made_up_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    own = tuple(rule for rule in registry.entries() if rule.code.startswith("SHD9"))
    monkeypatch.setattr(registry, "entries", lambda: (DEFAULT, STRICT, BROKEN, *own))
    monkeypatch.setattr(registry, "load", lambda rule: CHECKS[rule.code])


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def check(root: Path, *paths: str, **settings: object) -> engine.Report:
    options = Settings(root=str(root), jobs=1)._replace(**settings)
    return engine.check([str(root / path) for path in paths or ("",)], options)


def told(report: engine.Report) -> list[tuple[str, int, str]]:
    return [(os.path.basename(f.path), f.span.line, f.code) for f in report.findings]


# --- what is reported ------------------------------------------------------------------------------------------------


def test_exit_codes(tmp_path: Path) -> None:
    write(tmp_path, a=HAZARD, b="x = 1\n", c="def f(:\n")
    assert check(tmp_path, "b.py").exit_code() == 0
    assert check(tmp_path, "a.py").exit_code() == 1
    report = check(tmp_path)
    assert (report.exit_code(), report.files) == (2, 3)
    assert told(report) == [("a.py", 2, "SHD198"), ("c.py", 1, "SHD900")]


def test_findings_are_sorted_and_unique(tmp_path: Path) -> None:
    write(tmp_path, b=HAZARD, a="hazard()\nhazard()\n", pkg__c="hazard()\n")
    report = check(tmp_path, "b.py", "", "a.py", "pkg/c.py")
    assert told(report) == [("a.py", 1, "SHD198"), ("a.py", 2, "SHD198"), ("b.py", 2, "SHD198"), ("c.py", 1, "SHD198")]


def test_report_scope_and_knowledge_scope(tmp_path: Path) -> None:
    """A caller in a file that was not asked for is known, and nothing is reported there."""
    write(tmp_path, a=HAZARD, b="import a\na.stop()\nhazard()\n", c="def f(:\nhazard\n")
    report = check(tmp_path, "a.py")
    assert told(report) == [("a.py", 2, "SHD198")]
    assert report.findings[0].message == "1 callers"
    assert check(tmp_path, "a.py", knowledge="paths").findings[0].message == "0 callers"
    assert report.files == 1


def test_skipped_files_are_lowered_when_a_question_leads_to_them(tmp_path: Path) -> None:
    write(tmp_path, a=HAZARD, b="from a import stop\nstop()\n", c="stopped = 1\n", d="import a\na.stop('\n")
    assert check(tmp_path, "a.py").findings[0].message == "1 callers"


def test_a_word_that_is_everywhere_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "MAX_PER_WORD", 2)
    write(tmp_path, a=HAZARD, **{f"b{n}": "from a import stop\nstop()\n" for n in range(3)})
    assert check(tmp_path, "a.py").findings[0].message == "0 callers"


def test_stubs_are_read_for_names_only(tmp_path: Path) -> None:
    write(tmp_path, a=HAZARD)
    (tmp_path / "b.pyi").write_text("hazard()\ndef f(:\n")
    report = check(tmp_path)
    assert told(report) == [("a.py", 2, "SHD198")]
    assert report.files == 2


def test_stdin_stands_for_its_file(tmp_path: Path) -> None:
    write(tmp_path, a="x = 1\n", b="import a\na.stop()\n")
    settings = Settings(root=str(tmp_path), stdin_filename=str(tmp_path / "a.py"))
    report = engine.check(["-"], settings, stdin=HAZARD.encode())
    assert told(report) == [("a.py", 2, "SHD198")]
    assert report.findings[0].message == "1 callers"
    nameless = engine.check(["-"], Settings(root=str(tmp_path)), stdin=b"\nhazard()\n")
    assert told(nameless) == [("-", 2, "SHD198")]
    assert engine.check(["-"], settings, stdin=b"").exit_code() == 0


def test_no_files_is_a_warning(tmp_path: Path) -> None:
    assert check(tmp_path).warnings == ("no Python files found",)
    assert check(tmp_path).exit_code() == 0


def test_files_of(tmp_path: Path) -> None:
    write(tmp_path, a="", pkg__b="")
    assert engine.files_of([str(tmp_path)], Settings(root=str(tmp_path))) == (str(tmp_path / "a.py"), str(tmp_path / "pkg/b.py"))


# --- tiers and selection ---------------------------------------------------------------------------------------------

BOTH = "hazard()\nhazard(1)\nrisk()\n"


@pytest.mark.parametrize(
    ("select", "extend", "lines"),
    [((), (), [1]), (("SHD1",), (), [1, 2]), (("calls-hazard",), (), [1, 2]), ((), ("SHD2",), [1, 3]), (("ALL",), (), [1, 2, 3])],
)
def test_findings_have_a_tier_of_their_own(
    tmp_path: Path, select: tuple[str, ...], extend: tuple[str, ...], lines: list[int]
) -> None:
    write(tmp_path, a=BOTH)
    assert [line for _, line, _ in told(check(tmp_path, select=select, extend_select=extend))] == lines


def test_unknown_selectors_end_the_run(tmp_path: Path) -> None:
    with pytest.raises(UnknownSelector):
        check(tmp_path, select=("SHD777",))
    write(tmp_path, a=HAZARD)
    with pytest.raises(UnknownSelector):
        check(tmp_path, per_file_ignores=(("*", ("nothing",)),))


@pytest.mark.parametrize(
    ("glob", "selector", "left"),
    [("tests/*", "SHD1", 1), ("b.py", "ALL", 1), ("*.py", "calls-hazard", 0), ("src/*", "ALL", 2), ("tests", "ALL", 2), ("*", "SHD2", 2)],
)
def test_per_file_ignores(tmp_path: Path, glob: str, selector: str, left: int) -> None:
    write(tmp_path, a=HAZARD, tests__b=HAZARD)
    report = check(tmp_path, per_file_ignores=((glob, (selector,)),))
    assert (len(report.findings), report.suppressed) == (left, 2 - left)


def test_input_troubles_can_be_ignored_per_file_or_by_code(tmp_path: Path) -> None:
    write(tmp_path, a="def f(:\n")
    assert check(tmp_path, ignore=("SHD9",)).exit_code() == 2
    assert check(tmp_path, ignore=("SHD900",)).exit_code() == 0
    assert check(tmp_path, per_file_ignores=(("a.py", ("syntax-error",)),)).exit_code() == 0


# --- suppressions ----------------------------------------------------------------------------------------------------


def test_suppressed_findings_are_counted(tmp_path: Path) -> None:
    write(tmp_path, a="hazard()  # noqa: SHD198\nhazard()  # shutdown-lint: ignore[calls-hazard]\nhazard()\n")
    report = check(tmp_path)
    assert (told(report), report.suppressed) == ([("a.py", 3, "SHD198")], 2)


def test_unused_suppressions_are_found_where_no_rule_could_fire(tmp_path: Path) -> None:
    write(tmp_path, a="x = 1  # noqa: SHD198\n", b="x = 1  # noqa: SHD298\n", c="risk()  # noqa: SHD298\n")
    assert told(check(tmp_path)) == [("a.py", 1, "SHD910")]
    assert told(check(tmp_path, select=("ALL",))) == [("a.py", 1, "SHD910"), ("b.py", 1, "SHD910")]


def test_a_suppression_of_a_tier_that_is_not_shown_is_in_use(tmp_path: Path) -> None:
    write(tmp_path, a="hazard(1)  # noqa: SHD198\n")
    assert told(check(tmp_path)) == []


# --- failures of our own ---------------------------------------------------------------------------------------------


def test_a_rule_that_fails_costs_no_other_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, a=HAZARD, b="hazard()  # noqa: SHD398\n")
    report = check(tmp_path, select=("ALL", "SHD398"))
    assert told(report) == [("a.py", 1, "SHD904"), ("a.py", 2, "SHD198"), ("b.py", 1, "SHD198"), ("b.py", 1, "SHD904")]
    message = report.findings[0].message
    assert "SHD398" in message and "RuntimeError: not today" in message and "second" not in message
    assert "--traceback" in report.findings[0].help
    monkeypatch.setenv("SHUTDOWN_LINT_TRACEBACK", "1")
    assert "test_engine.py" in check(tmp_path, select=("SHD398",)).findings[0].help


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError(), MemoryError()])
def test_lowering_that_fails_costs_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    import shutdown_lint.lower

    lower = shutdown_lint.lower.lower_module

    def fail(text: str, **rest: object) -> ModuleFacts:
        if "hazard(9)" in text:
            raise error
        return lower(text, **rest)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(shutdown_lint.lower, "lower_module", fail)
    write(tmp_path, a="hazard(9)\n", b=HAZARD)
    expected = "SHD904" if isinstance(error, KeyError) else "SHD903"
    assert told(check(tmp_path)) == [("a.py", 1, expected), ("b.py", 2, "SHD198")]


# --- workers ---------------------------------------------------------------------------------------------------------


def many(root: Path, count: int = 12) -> None:
    for number in range(count):
        write(root, **{f"m{number:02}": f"import m{(number + 1) % count:02}\n{HAZARD}x = {number}\n" + "y = [1, 2]\n" * number})
    write(root, broken="hazard(\n", skipped="x = 1\n")


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "WORTH_BYTES", 0)


def test_any_number_of_jobs_gives_the_same_report(tmp_path: Path, eager: None) -> None:
    many(tmp_path)
    alone = check(tmp_path)
    assert len(alone.findings) == 13
    for jobs in (2, 3, 50):
        assert check(tmp_path, jobs=jobs) == alone


def test_fresh_interpreters_give_the_same_facts(tmp_path: Path, eager: None) -> None:
    """With another thread alive, forking is not safe; the workers are started anew then."""
    tasks = tasks_of(tmp_path, 6)
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert workers.take_in_all(tasks, 2) == [take_in(task) for task in tasks]
    finally:
        done.set()
        thread.join()


def tasks_of(root: Path, count: int) -> list[Task]:
    from shutdown_lint.source import name_files

    many(root, count)
    files = [(str(path), True) for path in sorted(root.glob("*.py"))]
    return [Task(file, Path(file.absolute).read_bytes(), True) for file in name_files(files, Settings(root=str(root)))]


def test_no_descriptor_and_no_child_is_left(tmp_path: Path, eager: None) -> None:
    tasks = tasks_of(tmp_path, 6)
    workers.take_in_all(tasks, 2)
    before = sorted(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else []
    workers.take_in_all(tasks, 2)
    assert (sorted(os.listdir("/proc/self/fd")) if before else []) == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV, 0])
def test_a_file_on_which_workers_die_costs_itself_only(
    tmp_path: Path, eager: None, monkeypatch: pytest.MonkeyPatch, how: int
) -> None:
    parent = os.getpid()

    def deadly(task: Task) -> Outcome:
        if task.file.name == "m03" and os.getpid() != parent:
            os.kill(os.getpid(), how) if how else os._exit(7)
        return take_in(task)

    many(tmp_path)
    expected = [finding for finding in check(tmp_path).findings if "m03" not in finding.path]
    monkeypatch.setattr(workers, "take_in", deadly)
    report = check(tmp_path, jobs=2)
    assert [finding for finding in report.findings if finding.code != "SHD903"] == expected
    (lost,) = [finding for finding in report.findings if finding.code == "SHD903"]
    assert "m03" in lost.path
    assert (f"signal {int(how)}" if how else "exit code 7") in lost.message
    assert report.exit_code() == 2


def test_a_worker_that_dies_once_costs_nothing(tmp_path: Path, eager: None, monkeypatch: pytest.MonkeyPatch) -> None:
    mark, parent = tmp_path / "died", os.getpid()

    def deadly_once(task: Task) -> Outcome:
        if task.file.name == "m03" and os.getpid() != parent and not mark.exists():
            mark.write_text("")
            os.kill(os.getpid(), signal.SIGKILL)
        return take_in(task)

    many(tmp_path)
    alone = check(tmp_path)
    monkeypatch.setattr(workers, "take_in", deadly_once)
    assert check(tmp_path, jobs=2) == alone
    assert mark.exists()


STUCK = """
import os, sys, time
from pathlib import Path
from shutdown_lint import engine, workers
from shutdown_lint.settings import Settings
root = sys.argv[1]
def stuck(task):
    Path(root, f"{os.getpid()}.pid").write_text("")
    time.sleep(300)
workers.take_in, workers.WORTH_BYTES = stuck, 0
engine.check([root], Settings(root=root, jobs=2))
"""


def alive(pid: int) -> bool:
    """Whether the process runs; one that is dead and waits for its (foreign) parent does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition: object, what: str) -> None:
    for _ in range(3000):
        if condition():  # type: ignore[operator]  # a function
            return
        time.sleep(0.02)
    raise AssertionError(what)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends workers with their parent on Linux only")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("to_group", [False, True], ids=["parent", "group"])
def test_no_worker_outlives_the_run(tmp_path: Path, number: signal.Signals, to_group: bool) -> None:
    for name in ("a", "b", "c"):
        write(tmp_path, **{name: "import signal\n"})
    run = subprocess.Popen(
        [sys.executable, "-c", STUCK, str(tmp_path)], start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        wait_until(lambda: len(list(tmp_path.glob("*.pid"))) == 2, "the workers did not start")
        pids = [int(path.stem) for path in tmp_path.glob("*.pid")]
        os.killpg(run.pid, number) if to_group else os.kill(run.pid, number)
        _, errors = run.communicate(timeout=60)
        assert run.returncode == -number
        assert errors.count(b"Traceback") == (1 if number == signal.SIGINT else 0)
        wait_until(lambda: not any(map(alive, pids)), "a worker is still there")
    finally:
        run.kill()
        run.wait()
