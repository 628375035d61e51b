"""What the command line does on a terminal: hyperlinks, widths, the bar of a long run."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from command import COMMAND, make_project
from reporting import FULL, finding, source_view

from shutdown_lint.cli import main, terminal
from shutdown_lint.cli.terminal import Progress, links
from shutdown_lint.report import View, renderer

pty = pytest.importorskip("pty", reason="needs pseudo-terminals")
LINK = re.compile(r"\x1b]8;;([^\x1b]*)\x1b\\(.*?)\x1b]8;;\x1b\\", re.DOTALL)
NAMES = ("TERM", "TERM_PROGRAM", "VTE_VERSION", "WT_SESSION", "KITTY_WINDOW_ID", "DOMTERM", "FORCE_HYPERLINK", "TMUX")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_project(tmp_path, monkeypatch)


def on_terminal(*arguments: str, **environment: str) -> str:
    """What the command writes to a terminal of 80 columns, stdout and stderr together."""
    master, slave = pty.openpty()
    env = {name: value for name, value in os.environ.items() if name not in NAMES} | {"TERM": "xterm"} | environment
    process = subprocess.Popen([*COMMAND, *arguments], stdin=slave, stdout=slave, stderr=slave, env=env)
    os.close(slave)
    out = bytearray()
    try:
        while data := os.read(master, 1 << 16):
            out += data
    except OSError:  # Linux: the other end is closed
        pass
    finally:
        process.kill()
        process.wait(30)
        os.close(master)
    return out.decode().replace("\r\n", "\n")


# --- hyperlinks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({"TERM": "xterm"}, False),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "xterm", "VTE_VERSION": "7600"}, True),
        ({"TERM": "xterm", "VTE_VERSION": "4300"}, False),
        ({"TERM": "xterm", "TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM": "xterm", "TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"TERM": "tmux-256color", "VTE_VERSION": "7600"}, False),
        ({"TERM": "tmux-256color", "FORCE_HYPERLINK": "1"}, True),
        ({"TERM": "xterm-kitty", "FORCE_HYPERLINK": "0"}, False),
        ({"TERM": "dumb", "TERM_PROGRAM": "vscode"}, False),
    ],
)
def test_links_are_for_terminals_that_show_them(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], shown: bool
) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert bool(links(terminal=True)) == shown
    assert bool(links(terminal=False)) == ("1" in environment.get("FORCE_HYPERLINK", ""))


@pytest.mark.parametrize("name", ["full", "concise", "grouped"])
def test_codes_and_places_are_links(name: str) -> None:
    view = source_view()._replace(links="file://here{path}")
    text = renderer(name)([FULL], view)
    targets = {shown: target for target, shown in LINK.findall(text)}
    assert FULL.url in targets.values()
    assert f"file://here{os.path.abspath('app/worker.py')}" in targets.values()
    plain = renderer(name)([FULL], view._replace(links=""))
    assert LINK.sub(r"\2", text) == plain, "links change nothing but links"
    if name == "full":
        assert targets["app/spool.py:57"] == f"file://here{os.path.abspath('app/spool.py')}"


def test_an_editors_links_lead_to_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("TERM_PROGRAM", "vscode")
    monkeypatch.delenv("FORCE_HYPERLINK", raising=False)
    view = View(links=links(terminal=True))
    assert f"vscode://file{os.path.abspath('app/worker.py')}:3:9\x1b" in renderer("concise")([FULL], view)


def test_link_targets_are_encoded() -> None:
    view = View(links="file://{path}")
    (target, _), *_ = LINK.findall(renderer("concise")([finding(path="/a b/\x1b\\é{0}.py")], view))
    assert target == "file:///a%20b/%1B%5C%C3%A9%7B0%7D.py"


# --- a real terminal -------------------------------------------------------------------------------------------------


def test_on_a_terminal_lines_fit_and_have_colours(project: Path) -> None:
    text = on_terminal("bad.py")
    assert "\x1b[1;31m[error]\x1b[0m" in text and not LINK.search(text)
    assert all(len(line) <= 80 for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines())
    assert LINK.search(on_terminal("bad.py", TERM="xterm-kitty"))
    assert "\x1b" not in on_terminal("bad.py", NO_COLOR="1")


@pytest.mark.parametrize(
    ("columns", "expected"), [("100", 100), ("12", 60), ("", 120), ("wide", 120), ("9" * 30, 1000)]
)
def test_columns_are_those_that_the_environment_wants(
    monkeypatch: pytest.MonkeyPatch, columns: str, expected: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert terminal.width(terminal=False) == expected


def test_machine_formats_have_no_links(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_HYPERLINK", "1")
    for name in ("json", "sarif", "github", "junit", "markdown", "html"):
        main(["bad.py", "--output-format", name])
        assert "\x1b" not in capsys.readouterr().out


# --- progress --------------------------------------------------------------------------------------------------------


class Screen:
    """A terminal that remembers."""

    encoding = "utf-8"

    def __init__(self, terminal: bool = True) -> None:
        self.text, self.terminal = "", terminal

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        return


def shown(monkeypatch: pytest.MonkeyPatch, seconds: list[float], tty: bool = True, quiet: bool = False) -> str:
    """What is written when ``tell`` is called at these times."""
    times = iter([0.0, *seconds] if tty and not quiet else seconds)
    screen = Screen(tty)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(terminal, "monotonic", lambda: next(times))
    with Progress(quiet) as progress:
        for number in range(len(seconds)):
            progress.tell("reading", number, len(seconds), "files")
    return screen.text


def test_short_runs_show_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, [0.1, 0.5, 0.9]) == ""


def test_long_runs_show_a_bar_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, [0.5, 1.5, 1.51, 3.0])
    assert re.findall(r"\d+/\d+ files", text) == ["1/4 files", "3/4 files"], "not too often"
    assert text.endswith("\r\x1b[K") and "\n" not in text


def test_nothing_is_shown_to_files_or_when_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, [5.0, 9.0], tty=False) == ""
    assert shown(monkeypatch, [5.0, 9.0], quiet=True) == ""


def test_the_engine_tells_how_far_it_is(project: Path) -> None:
    from shutdown_lint.engine import check
    from shutdown_lint.settings import Settings

    told: list[tuple[object, ...]] = []
    check(["."], Settings(root=str(project), jobs=1), progress=lambda *step: told.append(step))
    assert told == [("checking", 0, 1, "parts")]
