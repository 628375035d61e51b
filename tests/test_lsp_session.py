"""What a session remembers changes nothing: after any edits it says what one says that has just begun."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from shutdown_lint import config
from shutdown_lint.findings import Finding
from shutdown_lint.lsp.session import Session

FIXTURES = Path(__file__).parent / "fixtures"
FOLDERS = [folder for folder in sorted(FIXTURES.glob("SHD*/*/")) if len(list(folder.glob("**/*.py"))) > 1]


def begun(folder: Path) -> Session:
    """A session that knows nothing yet, with all rules on."""
    root = config.Root(str(folder), True)
    settings = config.to_settings({"select": ["ALL"], "per-file-ignores": {}}, root)
    return Session(settings._replace(jobs=1))


def edits(texts: dict[str, str]) -> Iterator[dict[str, str]]:
    """Versions of the files as somebody might type them: lines moved, a file emptied, broken, and as it was."""
    yield texts
    for path, text in texts.items():
        for changed in (f"# moved\n\n{text}", "", "def broken(:\n", text):
            yield {**texts, path: changed}


@pytest.mark.parametrize("folder", FOLDERS[::10], ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_edits_in_a_session_and_in_a_new_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    texts = {str(path): path.read_text("utf-8") for path in sorted(folder.glob("**/*.py"))}
    session, found = begun(folder), 0
    for buffers in edits(texts):
        one = min(buffers)
        for seen in ({one: buffers[one]}, buffers):  # the others as they are on disk, then all of them open
            expected: dict[str, tuple[Finding, ...]] = begun(folder).check(seen)
            assert session.check(seen) == expected
            found += sum(map(len, expected.values()))
    assert found or not folder.name.startswith("bad_")


def test_files_that_are_read_on_demand_are_followed(tmp_path: Path) -> None:
    """A caller that holds no word of a rule is lowered for a question's sake, and again when it has changed."""
    leave, caller = tmp_path / "leave.py", tmp_path / "caller.py"
    leave.write_text("import os\n\n\ndef now():\n    os._exit(3)\n")
    session, seen = begun(tmp_path), []
    for body in ("leave.now()", "with open('x', 'w'):\n        leave.now()", "pass  # leave.now()"):
        caller.write_text(f"import leave\n\n\ndef main():\n    {body}\n\n\nmain()\n")
        found = session.check({str(leave): leave.read_text()})
        seen.append([len(finding.lost) for finding in found[str(leave)]])
        assert found == begun(tmp_path).check({str(leave): leave.read_text()})
    assert seen == [[], [1], []]


def test_a_check_is_not_held_up_by_the_collector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would go through the facts of the whole project, more than once; the server collects later."""
    session, on = begun(tmp_path), []
    checked = session._check

    def watched(buffers: Mapping[str, str]) -> dict[str, tuple[Finding, ...]]:
        on.append(gc.isenabled())
        return checked(buffers)

    monkeypatch.setattr(session, "_check", watched)
    session.check({str(tmp_path / "a.py"): "import os\n"})
    assert on == [False] and gc.isenabled()
