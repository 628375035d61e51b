"""Lowering on other machines: whatever happens there, the report is that of a run here."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from command import LIMIT, run

from shutdown_lint import analysis, api, engine, remote
from shutdown_lint.cli import main
from shutdown_lint.settings import Settings

ROOT = Path(__file__).parent.parent


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    shutil.copytree(ROOT / "shutdown_lint/workers", root / "linter/workers")
    shutil.copytree(ROOT / "examples/worker/relay", root / "relay")
    (root / "pyproject.toml").write_text("")
    (root / "broken.py").write_text("def f(:\n")
    (root / "__main__.py").write_text("import os\nwith open('x') as out:\n    os._exit(1)\n")
    monkeypatch.chdir(root)
    monkeypatch.setenv("SHUTDOWN_LINT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(remote, "_CHUNK_BYTES", 2000)
    return root


def checked(root: Path, executor: Executor | None = None, **settings: Any) -> engine.Report:
    opener = None if executor is None else (lambda: nullcontext(executor))
    return engine.check([str(root)], Settings(root=str(root), jobs=1)._replace(**settings), executor=opener)


class Here(Executor):
    """Does everything at once; fails where ``fails`` says so."""

    def __init__(self, fails: Callable[[int], Exception | None] = lambda number: None) -> None:
        self.calls = 0
        self._fails = fails

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **more: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.calls += 1
        problem = self._fails(self.calls)
        if problem is None:
            future.set_result(fn(*arguments, **more))
        else:
            future.set_exception(problem)
        return future


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_executors_of_the_standard_library(project: Path, kind: type[Executor]) -> None:
    local = checked(project)
    assert len(local.findings) > 3
    with kind(2) as executor:  # type: ignore[call-arg]  # both take the number of workers
        assert checked(project, executor) == local


def test_nothing_is_lowered_here(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local, executor = checked(project), Here()
    seen: list[str] = []
    lower = analysis.take_in
    monkeypatch.setattr(analysis, "take_in", lambda task: (seen.append(task.file.path), lower(task))[1])
    assert checked(project, executor) == local
    assert executor.calls > 5
    assert set(seen) == {""}  # paths stay here


def test_what_does_not_come_back_is_done_here(project: Path) -> None:
    local = checked(project)
    report = checked(project, Here(lambda number: OSError("a worker is lost") if number % 2 else None))
    assert report.findings == local.findings
    (warning,) = report.warnings
    assert warning.endswith("files (OSError: a worker is lost): done here")
    assert checked(project, Here(lambda _: MemoryError())).findings == local.findings


def test_what_came_back_is_remembered(project: Path, tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    first = checked(project, Here(), cache=cache)
    (project / "relay/more.py").write_text("from relay import app\nimport os\n")
    executor = Here()
    second = checked(project, executor, cache=cache)
    assert executor.calls < 5  # only of small files nothing is kept
    assert second == checked(project)._replace(files=first.files + 1)


def test_workers_of_another_version(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "lowered_there", lambda *_: ("shutdown-lint 0.0.1, Python 3.10", {}))
    with pytest.raises(remote.ExecutorError, match=r"the executor has shutdown-lint 0\.0\.1, Python 3\.10; this is"):
        checked(project, Here())


def test_the_api_takes_an_executor(project: Path) -> None:
    executor = Here()
    assert api.check([project], executor=executor) == api.check([project])
    assert executor.calls > 5


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        (["--executor", "ray:local"], "no executor `ray:local`: write dask:tcp://HOST:PORT"),
        (["--executor", "dask:here"], "no executor `dask:here`"),
        (["--executor", "dask:tcp://127.0.0.1:1", "--facts", "."], "cannot be combined with --executor"),
    ],
)
def test_what_makes_no_sense(project: Path, capsys: pytest.CaptureFixture[str], flags: list[str], problem: str) -> None:
    assert main(["check", *flags]) == 2
    assert problem in capsys.readouterr().err


@pytest.mark.skipif(find_spec("distributed") is not None, reason="distributed is installed")
def test_without_the_extra(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--executor", "dask:tcp://127.0.0.1:1"]) == 2
    assert "pip install 'shutdown-lint[dask]'" in capsys.readouterr().err


# --- a real cluster --------------------------------------------------------------------------------------------------


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The address of a Dask scheduler on the loopback interface, and its two workers."""
    pytest.importorskip("distributed", reason="distributed is not installed (the extra `dask`)")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DASK_TEMPORARY_DIRECTORY": str(tmp_path / "dask")}
    options: dict[str, Any] = {"env": environment, "cwd": tmp_path, "stderr": subprocess.DEVNULL}
    mark = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m"]
    started = [
        subprocess.Popen(
            [*dask, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
             "--scheduler-file", str(mark)],
            **options,
        )
    ]  # fmt: skip
    try:
        workers = [
            subprocess.Popen(
                [*dask, "distributed.cli.dask_worker", "--scheduler-file", str(mark), "--nthreads", "1",
                 "--no-nanny", "--no-dashboard", "--host", "127.0.0.1", "--name", f"worker{number}"],
                **options,
            )
            for number in range(2)
        ]  # fmt: skip
        started += workers
        yield address_of(mark), workers
    finally:
        for process in started:
            process.kill()
        for process in started:
            process.wait()


def address_of(mark: Path) -> str:
    """The scheduler's address, once both workers are there."""
    from distributed import Client

    for _ in range(600):
        if mark.exists() and mark.stat().st_size:
            break
        time.sleep(0.1)
    with Client(scheduler_file=str(mark), timeout=LIMIT, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=LIMIT)
        return str(client.scheduler.address)


def test_a_cluster_gives_the_same_output(project: Path, cluster: tuple[str, list[subprocess.Popen[bytes]]]) -> None:
    local = run("check", ".", "--no-cache")
    assert local.returncode == 2  # one file is broken
    there = run("check", ".", "--no-cache", "--executor", f"dask:{cluster[0]}")
    assert (there.returncode, there.stdout, there.stderr) == (local.returncode, local.stdout, local.stderr)


def test_a_worker_that_is_killed_in_the_midst(
    project: Path, cluster: tuple[str, list[subprocess.Popen[bytes]]], tmp_path: Path
) -> None:
    address, workers = cluster
    for number in range(60):
        shutil.copytree(project / "relay", project / f"relay{number}")
    local = run("check", ".", "--no-cache", "--output-format", "json")
    killing = [
        sys.executable,
        "-c",
        KILLING,
        str(workers[0].pid),
        *("check", ".", "--no-cache", "--output-format", "json", "--executor", f"dask:{address}"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    there = subprocess.run(killing, env=environment, capture_output=True, timeout=LIMIT, check=False)
    assert (there.returncode, there.stdout) == (local.returncode, local.stdout)
    assert b"killed after" in there.stderr
    assert b"done here" not in there.stderr  # the other worker did it
    assert workers[0].wait(LIMIT) == -signal.SIGKILL
    assert workers[1].poll() is None


# kills a worker when some files have come back and more are on their way
KILLING = """
import os, signal, sys
from shutdown_lint import remote
from shutdown_lint.cli import main
worker, take_over, taken = int(sys.argv[1]), remote._take_over, []
def counted(*given):
    taken.append(1)
    if len(taken) == 3:
        os.kill(worker, signal.SIGKILL)
        print("killed after", len(taken), "chunks", file=sys.stderr)
    return take_over(*given)
remote._take_over, remote._CHUNK_BYTES = counted, 4000
sys.exit(main(sys.argv[2:]))
"""
