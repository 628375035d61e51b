"""Worker processes: same results whatever their number, no harm when they die, none left behind."""

from __future__ import annotations

import faulthandler
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import made_up
import pytest
from made_up import HAZARD, check, write

from shutdown_lint import analysis, parts
from shutdown_lint.facts import ModuleFacts
from shutdown_lint.findings import Finding
from shutdown_lint.intake import Outcome, Task, take_in
from shutdown_lint.project import Project
from shutdown_lint.rules import registry
from shutdown_lint.settings import Settings
from shutdown_lint.workers import Died, pool, process, spread


@pytest.fixture(autouse=True)
def made_up_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    made_up.install(monkeypatch)


def many(root: Path, count: int = 12) -> None:
    for number in range(count):
        write(
            root,
            **{f"m{number:02}": f"import m{(number + 1) % count:02}\n{HAZARD}x = {number}\n" + "y = [1, 2]\n" * number},
        )
    write(root, broken="hazard(\n", skipped="x = 1\n")


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    # under pytest-xdist other threads are alive, and only forked workers know what a test has put into their place
    monkeypatch.setattr(pool, "WORTH_BYTES", 0)
    monkeypatch.setattr(process, "has_threads", lambda: False)


def test_any_number_of_jobs_gives_the_same_report(tmp_path: Path, eager: None) -> None:
    many(tmp_path)
    alone = check(tmp_path)
    assert len(alone.findings) == 13
    for jobs in (2, 3, 50):
        assert check(tmp_path, jobs=jobs) == alone


def test_fresh_interpreters_give_the_same_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With another thread alive, forking is not safe; the workers are started anew then."""
    monkeypatch.setattr(pool, "WORTH_BYTES", 0)
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("must not fork"))
    tasks = tasks_of(tmp_path, 6)
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert spread(take_in, tasks, [1] * len(tasks), 2) == [take_in(task) for task in tasks]
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
    spread(take_in, tasks, [1] * len(tasks), 2)
    before = sorted(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else []
    spread(take_in, tasks, [1] * len(tasks), 2)
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
            faulthandler.disable()
            os.kill(os.getpid(), how) if how else os._exit(7)
        return take_in(task)

    many(tmp_path)
    expected = [finding for finding in check(tmp_path).findings if "m03" not in finding.path]
    monkeypatch.setattr(analysis, "take_in", deadly)
    report = check(tmp_path, jobs=2)
    assert [finding for finding in report.findings if finding.code != "SHD903"] == expected
    (lost,) = [finding for finding in report.findings if finding.code == "SHD903"]
    assert "m03" in lost.path
    assert (f"signal {int(how)}" if how else "exit code 7") in lost.message
    assert report.exit_code() == 2


def test_rules_on_which_workers_die_cost_their_part_only(
    tmp_path: Path, eager: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packages that do not import each other are analysed apart; each is large enough to be a part of its own."""
    parent, filler = os.getpid(), "# filler\n" * (parts.MIN_BYTES // 9 + 1)
    for package in ("one", "two", "three"):
        write(tmp_path, **{f"{package}__work": HAZARD, f"{package}__more": filler})
    whole = check(tmp_path)
    assert len(whole.findings) == 3

    def deadly(module: ModuleFacts, project: Project) -> Iterator[Finding]:
        if module.name == "two.work" and os.getpid() != parent:
            os._exit(9)
        yield from made_up.CHECKS["SHD198"](module, project)

    monkeypatch.setattr(
        registry, "load", lambda entry: deadly if entry.code == "SHD198" else made_up.CHECKS[entry.code]
    )
    report = check(tmp_path, jobs=2)
    assert [finding for finding in report.findings if finding.code == "SHD198"] == [
        finding for finding in whole.findings if "two" not in finding.path
    ]
    (lost,) = [finding for finding in report.findings if finding.code == "SHD904"]
    assert "two" in lost.path
    assert "exit code 9" in lost.message


def test_what_must_be_done_apart_is_never_done_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "work", lambda *_: os._exit(3))
    monkeypatch.setattr(process, "has_threads", lambda: False)

    def deadly(item: int) -> int:
        raise AssertionError(f"{item} was done in the process of the run")

    (outcome,) = spread(deadly, [1], [1], 1, apart=True)
    assert isinstance(outcome, Died)
    assert "no process" in outcome.how


def test_a_worker_that_dies_once_costs_no_finding_and_is_told(
    tmp_path: Path, eager: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark, parent = tmp_path / "died", os.getpid()

    def deadly_once(task: Task) -> Outcome:
        if task.file.name == "m03" and os.getpid() != parent and not mark.exists():
            mark.write_text("")
            os.kill(os.getpid(), signal.SIGKILL)
        return take_in(task)

    many(tmp_path)
    alone = check(tmp_path)
    monkeypatch.setattr(analysis, "take_in", deadly_once)
    report = check(tmp_path, jobs=2)
    assert mark.exists()
    assert [finding for finding in report.findings if finding.code != "SHD904"] == [*alone.findings]
    (told,) = [finding for finding in report.findings if finding.code == "SHD904"]
    assert told.path.endswith("m03.py") and "signal 9" in told.message and "no finding is lost" in told.message
    assert report.exit_code() == 2


def test_the_file_in_hand_is_named_where_rules_are_run(
    tmp_path: Path, eager: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark, parent, filler = tmp_path / "died", os.getpid(), "# filler\n" * (parts.MIN_BYTES // 9 + 1)
    for package in ("one", "two", "three"):
        write(tmp_path, **{f"{package}__work": HAZARD, f"{package}__more": filler})
    alone = check(tmp_path)

    def deadly_once(module: ModuleFacts, project: Project) -> Iterator[Finding]:
        if module.name == "two.work" and os.getpid() != parent and not mark.exists():
            mark.write_text("")
            os.kill(os.getpid(), signal.SIGKILL)
        yield from made_up.CHECKS["SHD198"](module, project)

    monkeypatch.setattr(
        registry, "load", lambda entry: deadly_once if entry.code == "SHD198" else made_up.CHECKS[entry.code]
    )
    report = check(tmp_path, jobs=2)
    assert [finding for finding in report.findings if finding.code != "SHD904"] == [*alone.findings]
    (told,) = [finding for finding in report.findings if finding.code == "SHD904"]
    assert told.path.endswith(os.path.join("two", "work.py"))


def test_where_no_worker_can_start_the_work_is_done_all_the_same(
    tmp_path: Path, eager: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(tmp_path)
    alone = check(tmp_path)

    def refuse() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fork", refuse)
        assert check(tmp_path, jobs=2) == alone
    monkeypatch.setattr(process, "work", lambda *_: os._exit(3))
    assert check(tmp_path, jobs=2) == alone


STUCK = """
import os, sys, time
from pathlib import Path
from shutdown_lint import analysis, engine
from shutdown_lint.settings import Settings
from shutdown_lint.workers import pool
root = sys.argv[1]
def stuck(task):
    Path(root, f"{os.getpid()}.pid").write_text("")
    time.sleep(300)
analysis.take_in, pool.WORTH_BYTES = stuck, 0
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
        write(tmp_path, **{name: "import signal\n" * 100})
    run = subprocess.Popen(
        [sys.executable, "-c", STUCK, str(tmp_path)],
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
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
