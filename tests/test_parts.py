"""Which files are analysed together: those that a chain of imports connects, in pieces worth a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from shutdown_lint import parts
from shutdown_lint.cache import Known
from shutdown_lint.settings import Settings
from shutdown_lint.source import name_files
from shutdown_lint.triggers import imported_packages


def split(root: Path, files: dict[str, str], unreported: tuple[str, ...] = ()) -> list[list[str]]:
    known = {}
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        known[str(path)] = Known(0, len(text), "", tuple(imported_packages(text.encode())))
    named = name_files([(str(root / name), name not in unreported) for name in files], Settings(root=str(root)))
    return [[file.name for file in part.files] for part in parts.parts_of(named, known)]


@pytest.fixture
def each_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "MIN_BYTES", 0)


def test_packages_that_do_not_import_each_other(tmp_path: Path, each_apart: None) -> None:
    files = {"a/__init__.py": "import os\n", "a/x.py": "import b_not\n", "b/__init__.py": "", "c.py": "'import a'\n"}
    assert split(tmp_path, files) == [["a", "a.x"], ["b"], ["c"]]


@pytest.mark.parametrize(
    "statement",
    [
        "import b",
        "import os, b.x as y",
        "from b.x import y",
        "def f():\n    from b import x",
        "try: import b\nexcept ImportError: b = None",
        "x = 1; import b",
        "from b \\\n  import x",
        "x = 1\r  import b\r",
    ],
)
def test_an_import_connects(tmp_path: Path, each_apart: None, statement: str) -> None:
    assert split(tmp_path, {"a.py": f"{statement}\n", "b/__init__.py": "", "c.py": ""}) == [["a", "b"], ["c"]]


def test_connected_through_others_and_both_ways(tmp_path: Path, each_apart: None) -> None:
    files = {
        "a.py": "import b\n",
        "b.py": "",
        "c.py": "import b\n",
        "d.py": "import e\n",
        "e.py": "import a\n",
        "f.py": "",
    }
    assert split(tmp_path, files) == [["a", "b", "c", "d", "e"], ["f"]]


def test_parts_without_a_file_to_report_on_are_left_out(tmp_path: Path, each_apart: None) -> None:
    files = {"a.py": "import b\n", "b.py": "", "c.py": ""}
    assert split(tmp_path, files, unreported=("b.py", "c.py")) == [["a", "b"]]


def test_small_parts_are_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "MIN_BYTES", 10)
    files = {"a.py": "x = 1\n", "b.py": "x = 1\n", "large.py": "x = 1  # large\n", "c.py": "x = 1\n"}
    assert split(tmp_path, files) == [["a", "b"], ["large"], ["c"]]
