"""The command line under bad conditions: streams that fail, odd surroundings, signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import BAD, COMMAND, LIMIT, make_project, run, started

from shutdown_lint.cli import main
from shutdown_lint.rules import registry


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_project(tmp_path, monkeypatch)


# --- output files ----------------------------------------------------------------------------------------------------


def test_an_output_file_is_replaced_as_a_whole(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = project / "out.json"
    target.write_text("old")
    target.chmod(0o640)
    (project / "link.json").symlink_to("out.json")
    assert main(["bad.py", "--output-format", "json", "--output-file", "link.json"]) == 1
    assert json.loads(target.read_text())[0]["code"] == "SHD107"
    assert target.stat().st_mode & 0o777 == 0o640
    assert (project / "link.json").is_symlink()
    assert capsys.readouterr().out == ""
    assert sorted(os.listdir(project)) == ["bad.py", "good.py", "link.json", "out.json", "pyproject.toml"]


@pytest.mark.parametrize("target", ["folder", "missing/out.txt", "pipe"])
def test_an_output_file_that_cannot_be_written(project: Path, capsys: pytest.CaptureFixture[str], target: str) -> None:
    (project / "folder").mkdir()
    os.mkfifo(project / "pipe")
    assert main(["bad.py", "--output-file", target]) == 2
    assert capsys.readouterr().err.startswith(f"shutdown-lint: cannot write {target}: ")


def test_devices_are_written_to(project: Path) -> None:
    assert run("bad.py", "--output-file", "/dev/stdout").stdout.startswith(b"bad.py:5:9 SHD107")


# --- broken streams --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["bad.py"], ["--version"], ["rules"], ["check", "--help"], ["rule", "SHD107"]])
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_stdout_is_one_line_on_stderr(project: Path, command: list[str]) -> None:
    env = {**os.environ, "PYTHONUNBUFFERED": ""}  # what stays in a buffer is written once more at the end
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, *command], stdout=full, stderr=subprocess.PIPE, timeout=LIMIT, check=False, env=env
        )
    assert done.returncode == 2
    assert done.stderr.decode() == "shutdown-lint: cannot write to stdout: no space left on device\n"


@pytest.mark.parametrize("command", ["bad.py", "--version"])
def test_a_closed_stdout_is_one_line_on_stderr(project: Path, command: str) -> None:
    shell = f'exec "{sys.executable}" -m shutdown_lint {command} >&-'
    done = subprocess.run(["/bin/sh", "-c", shell], stderr=subprocess.PIPE, timeout=LIMIT, check=False)
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert done.stderr.startswith(b"shutdown-lint: cannot write to stdout: ")


def test_closed_stdin_and_stderr(project: Path) -> None:
    shell = f'exec "{sys.executable}" -m shutdown_lint - --nonsense <&- 2>&-'
    assert subprocess.run(["/bin/sh", "-c", shell], timeout=LIMIT, check=False).returncode == 2
    shell = f'exec "{sys.executable}" -m shutdown_lint - <&-'
    assert subprocess.run(["/bin/sh", "-c", shell], capture_output=True, timeout=LIMIT, check=False).returncode == 0


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_leaves_early_is_no_error(project: Path, unbuffered: str) -> None:
    (project / "many.py").write_text(BAD * 600)  # more text than a pipe holds
    shell = f'"{sys.executable}" -m shutdown_lint many.py; echo "code $?" >&2'
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with started("/bin/sh", "-c", shell, env=env) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b"code 141\n"


# --- odd surroundings ------------------------------------------------------------------------------------------------


SHADOWS = ("re", "json", "argparse", "signal", "typing", "tomli", "libcst", "selectors", "pathspec", "rich")


def shadow(project: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (project / f"{name}.py").write_text(f"import os\nos.write(2, b'{name} was run')\nos._exit(99)\n")


def test_the_current_folder_is_never_imported_from(project: Path) -> None:
    shadow(project, (*SHADOWS, "__future__"))
    done = run("bad.py", "--jobs", "2")
    assert (done.returncode, b"was run" in done.stderr) == (1, False), done.stderr


@pytest.mark.parametrize("before", ["", ".", "{cwd}"])
def test_not_even_where_the_environment_says_so(project: Path, before: str) -> None:
    shadow(project, SHADOWS)
    own = str(Path(sys.modules["shutdown_lint"].__file__ or "").parent.parent)
    env = {**os.environ, "PYTHONPATH": f"{before.format(cwd=project)}:{own}"}
    program = "import sys; from shutdown_lint.cli import main; sys.exit(main(['bad.py', '--jobs', '2']))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=LIMIT, check=False, env=env)
    assert (done.returncode, b"was run" in done.stderr) == (1, False), done.stderr


def test_no_connection_is_opened_and_no_program_started(project: Path) -> None:
    program = (
        "import sys\n"
        "def watch(event, args):\n"
        "    if event.startswith(('socket.', 'subprocess.', 'os.exec', 'os.system', 'os.posix_spawn', 'urllib.')):\n"
        "        print('seen:', event, file=sys.stderr)\n"
        "sys.addaudithook(watch)\n"
        "from shutdown_lint.cli import main\n"
        "sys.exit(main(['.', '--jobs', '2', '--select', 'ALL']))\n"
    )
    for number in range(40):
        (project / f"m{number}.py").write_text(BAD * 300)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=LIMIT, check=False)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONUTF8": "0", "LC_ALL": "C"}])
@pytest.mark.parametrize("output_format", ["full", "concise", "json"])
def test_any_locale_will_do(project: Path, locale: dict[str, str], output_format: str) -> None:
    name = os.fsencode(project) + b"/\xff\xc3\xa9\x1b.py"
    with open(name, "w", encoding="utf-8") as stream:
        stream.write(BAD.replace("f()", "é()"))
    done = run(os.fsdecode(name), "--output-format", output_format, env={**os.environ, **locale})
    assert (done.returncode, done.stderr) == (1, b"")
    assert rb"\xff" in done.stdout and b"\x1b" not in done.stdout
    if output_format == "json":
        ascii_names = "PYTHONUTF8" in locale
        expected = r"\xff\xc3\xa9" if ascii_names else r"\xffé"
        assert json.loads(done.stdout)[0]["filename"].endswith(f"/{expected}\x1b.py")


def test_the_same_input_gives_the_same_output(project: Path) -> None:
    for number in range(40):
        (project / f"m{number}.py").write_text(BAD * 30)
    outputs = {run(".", "--jobs", jobs, env={**os.environ, "PYTHONHASHSEED": jobs}).stdout for jobs in ("1", "2", "3")}
    assert len(outputs) == 1


def test_an_internal_error_is_told_and_costs_nothing_else(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load = registry.load

    def broken(entry: registry.Entry) -> Any:
        return (lambda *_: 1 / 0) if entry.code == "SHD107" else load(entry)  # type: ignore[return-value]

    monkeypatch.setattr(registry, "load", broken)
    assert main(["bad.py", "--jobs", "1"]) == 2
    out = capsys.readouterr().out
    assert "bad.py:1:1 SHD904 [error] rule SHD107 (finally-swallows-exit) failed with ZeroDivisionError" in out
    monkeypatch.setenv("SHUTDOWN_LINT_TRACEBACK", "")
    assert main(["bad.py", "--traceback"]) == 2
    assert "Traceback (most recent call last):\n" in capsys.readouterr().out


# --- being stopped ---------------------------------------------------------------------------------------------------


def children(pid: int) -> set[int]:
    """The processes below a process, as Linux tells them."""
    try:
        direct = {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
    except OSError:
        return set()
    return direct.union(*map(children, direct))


def wait_until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, "no end"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


STOPS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE]


@pytest.mark.parametrize("signum", STOPS)
def test_waiting_for_stdin_a_signal_ends_the_process(project: Path, signum: signal.Signals) -> None:
    with started(*COMMAND, "-", "-v", stdin=subprocess.PIPE) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(signum)
        assert process.wait(LIMIT) == -signum
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.parametrize("signum", STOPS)
@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="reads /proc")
def test_in_the_midst_of_the_work_a_signal_leaves_nothing_behind(project: Path, signum: signal.Signals) -> None:
    for number in range(60):
        (project / f"m{number}.py").write_text(BAD * 400)
    (project / "out.txt").write_text("old")
    with started(*COMMAND, ".", "--jobs", "2", "--output-file", "out.txt") as process:
        wait_until(lambda: len(children(process.pid)) == 2)
        workers = children(process.pid)
        process.send_signal(signum)
        assert process.wait(LIMIT) == -signum
        wait_until(lambda: not any(map(is_running, workers)))
        assert process.communicate() == (b"", b"")
    assert (project / "out.txt").read_text() == "old"
    assert len(os.listdir(project)) == 64


@pytest.mark.parametrize("signum", STOPS)
def test_code_that_swallows_the_request_does_not_hold_it_up(signum: signal.Signals) -> None:
    program = (
        "import time\nfrom shutdown_lint.cli import stopping\nstopping.take_signals()\n\n"
        "while True:\n try:\n  print('ready', flush=True)\n  time.sleep(600)\n except BaseException:\n  pass\n"
    )
    with started(sys.executable, "-c", program) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signum)
        assert process.wait(LIMIT) == -signum


def test_a_request_that_arrives_where_nothing_can_be_raised_is_not_lost() -> None:
    program = (
        "import time\nfrom shutdown_lint.cli import stopping\nstopping.take_signals()\n\n"
        "class Held:\n def __del__(self):\n  print('ready', flush=True)\n  time.sleep(600)\n\n"
        "try:\n held = Held()\n del held\n time.sleep(600)\n"
        "except stopping.Stopped as stopped:\n print('unwound', flush=True)\n stopping.die_by(stopped.signum)\n"
    )
    with started(sys.executable, "-c", program) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=LIMIT) == (b"unwound\n", b"")
        assert process.returncode == -signal.SIGTERM


def test_a_request_before_or_after_the_command_itself_is_no_traceback() -> None:
    program = (
        "import sys\nfrom shutdown_lint import cli\n\ndef main():\n    raise KeyboardInterrupt\n\n"
        "cli.main = main\nsys.exit(cli.command())\n"
    )
    with started(sys.executable, "-c", program) as process:
        assert process.communicate(timeout=LIMIT) == (b"", b"")
        assert process.returncode == -signal.SIGINT


def test_an_ignored_interrupt_stays_ignored(project: Path) -> None:
    shell = f'trap "" INT; exec "{sys.executable}" -m shutdown_lint - -v'
    with started("/bin/sh", "-c", shell, stdin=subprocess.PIPE) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(b"x = 1\n", LIMIT)
        assert process.returncode == 0


def test_stderr_that_nobody_reads_ends_nothing(project: Path) -> None:
    """Unlike stdout: what is told there is beside the point of the run."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*COMMAND, "bad.py", "-v"], stdout=subprocess.PIPE, stderr=writer, timeout=LIMIT, check=False)
    os.close(writer)
    assert done.returncode == 1 and done.stdout.startswith(b"bad.py:5:9 SHD107")


def test_handlers_are_given_back(project: Path) -> None:
    before = [signal.getsignal(signum) for signum in STOPS]
    assert main(["good.py"]) == 0
    assert [signal.getsignal(signum) for signum in STOPS] == before


def test_main_runs_in_any_thread(project: Path) -> None:
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(main(["bad.py"])))
    thread.start()
    thread.join()
    assert codes == [1]
