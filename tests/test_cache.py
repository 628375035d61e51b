"""The cache: nothing but time depends on it."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import made_up
import pytest
from command import BAD, COMMAND, LIMIT, make_project, run
from made_up import HAZARD, check, told, write

from shutdown_lint import analysis, cache, deployments, engine, facts_cache, inputs
from shutdown_lint.cli import main
from shutdown_lint.facts_cache import FolderStore
from shutdown_lint.findings import Finding
from shutdown_lint.intake import Outcome, Task, take_in
from shutdown_lint.lowered import SOUND, Record
from shutdown_lint.prefilter import Prefilter
from shutdown_lint.refining import Refine
from shutdown_lint.settings import Settings
from shutdown_lint.source import digest

OLD = 1_600_000_000  # a time (seconds) at which no file is too young


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made_up.install(monkeypatch)
    root = tmp_path / "project"
    write(root, a=HAZARD, b="import a\n", c=HAZARD)
    age(root)
    return root


def age(root: Path, seconds: int = OLD) -> None:
    for path in root.rglob("*.py"):
        os.utime(path, (seconds, seconds))


def cached(root: Path, **settings: Any) -> engine.Report:
    return check(root, cache=str(root.parent / "cache"), **settings)


def no_analysis(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("analysed again")

    monkeypatch.setattr(analysis, "take", fail)


def test_a_second_run_analyses_nothing_and_says_the_same(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cached(project)
    assert first == check(project)
    no_analysis(monkeypatch)
    monkeypatch.setattr(inputs, "read_bytes", lambda path: pytest.fail(f"read {path} again"))
    assert cached(project) == first


def test_a_file_that_was_only_touched(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cached(project)
    age(project, OLD + 60)
    no_analysis(monkeypatch)
    assert cached(project) == first


def test_deployment_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dockerfile = tmp_path / "project" / "Dockerfile"
    dockerfile.parent.mkdir()
    dockerfile.write_text("FROM python:3.12\nCMD gunicorn app:x\n")
    write(dockerfile.parent, app="x = 1\n")
    age(dockerfile.parent)
    first = cached(dockerfile.parent)
    assert "SHD601" in {finding.code for finding in first.findings}
    assert first.files == 2
    with monkeypatch.context() as patched:
        patched.setattr(deployments, "analyse", lambda *_: pytest.fail("analysed again"))
        assert cached(dockerfile.parent) == first
    dockerfile.write_text('FROM python:3.12\nCMD ["gunicorn", "app:x"]\n')
    assert "SHD601" not in {finding.code for finding in cached(dockerfile.parent).findings}


def test_what_a_change_touches_is_analysed_again(project: Path) -> None:
    assert len(cached(project).findings) == 2
    (project / "c.py").write_text("x = 1\n")
    assert told(cached(project)) == [("a.py", 2, "SHD198")]
    (project / "d.py").write_text(HAZARD)
    assert told(cached(project)) == [("a.py", 2, "SHD198"), ("d.py", 2, "SHD198")]
    (project / "a.py").unlink()
    assert told(cached(project)) == [("d.py", 2, "SHD198")]


def test_the_same_size_and_time_with_another_content(project: Path) -> None:
    """A file that was changed twice within one tick of the clock: its time tells nothing while it is young."""
    path = project / "c.py"
    now = path.stat().st_ctime_ns
    os.utime(path, ns=(now, now))
    assert len(cached(project).findings) == 2
    path.write_text("#" * (len(HAZARD) - 1) + "\n")
    os.utime(path, ns=(now, now))
    assert len(cached(project).findings) == 1


def test_settings_are_part_of_the_key(project: Path) -> None:
    assert len(cached(project).findings) == 2
    assert not cached(project, ignore=("SHD198",)).findings
    assert len(cached(project, per_file_ignores=(("a.py", ("SHD198",)),)).findings) == 1
    assert len(cached(project).findings) == 2


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"version": 1}', b"\xff", b"[" * 100_000])
def test_a_damaged_file_is_rebuilt(project: Path, content: bytes) -> None:
    first = cached(project)
    (file,) = (project.parent / "cache").glob("*.json")
    good = file.read_bytes()
    file.write_bytes(content)
    assert cached(project) == first
    assert json.loads(file.read_bytes()) == json.loads(good)


def test_damaged_entries_are_found_out(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cached(project)
    (file,) = (project.parent / "cache").glob("*.json")
    data = json.loads(file.read_bytes())
    data["results"] = {key: [[["a.py"]], "x"] for key in data["results"]}
    file.write_text(json.dumps(data))
    assert cached(project) == first


def test_a_folder_that_cannot_be_written_costs_only_time(project: Path) -> None:
    (project.parent / "cache").write_text("a file")
    assert cached(project) == check(project)


def test_another_version_reads_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached(project)
    monkeypatch.setattr(cache, "version", lambda: "another")
    with pytest.raises(AssertionError, match="analysed again"), monkeypatch.context() as patched:
        no_analysis(patched)
        cached(project)


def large(name: str) -> str:
    """A hazard in a file that is large enough to be worth remembering; it uses a package."""
    return f"import {name}\n{HAZARD}" + "def f():\n    use(1)\n" * 100


def test_only_what_has_changed_is_lowered_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_up.install(monkeypatch)
    root = tmp_path / "project"
    write(root, a=large("b"), b=large("c"), c=large("a"), skipped="x = 1\n", broken="hazard(\n")
    age(root)
    lowered: list[str] = []
    monkeypatch.setattr(analysis, "take_in", lambda task: (lowered.append(task.file.name), take_in(task))[1])
    cached(root)
    assert {"a", "b", "c"} <= set(lowered)
    lowered.clear()
    (root / "b.py").write_text("x = 1\n" + large("c"))
    second = cached(root)
    assert "b" in lowered
    assert {"a", "c"}.isdisjoint(lowered)
    assert second == check(root)
    assert {line for _, line, code in told(second) if code == "SHD198"} == {3, 4}


def idle_file(root: Path) -> Path:
    (path,) = (root.parent / "cache").glob("*.facts/00/idle")
    return path


def searched(patched: pytest.MonkeyPatch) -> list[bytes]:
    """The contents in which words of rules are looked for, from now on."""
    judged: list[bytes] = []
    codes = Prefilter.codes

    def judge(self: Prefilter, data: bytes, name: str = "") -> frozenset[str] | None:
        judged.append(data)
        return codes(self, data, name)

    patched.setattr(Prefilter, "codes", judge)
    return judged


def test_files_without_a_word_of_any_rule_are_not_looked_at_again(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, b="import a, c\n" + "y = 2\n" * 3)
    cached(project)
    write(project, a=f"import b\n{HAZARD}")
    with monkeypatch.context() as patched:
        looked_at = searched(patched)

        def take(task: Task) -> Outcome:
            looked_at.append(task.data)
            return take_in(task)

        patched.setattr(analysis, "take_in", take)
        found = cached(project)
    assert found == check(project)
    assert (project / "a.py").read_bytes() in looked_at
    assert (project / "b.py").read_bytes() not in looked_at


def test_files_that_are_only_known_are_not_searched_again_either(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, b="import a\n", broken="import a, (\n")
    folder = str(project.parent / "cache")
    check(project, "a.py", cache=folder)
    write(project, a=f"import b\n{HAZARD}")
    with monkeypatch.context() as patched:
        judged = searched(patched)
        check(project, "a.py", cache=folder)
    assert (project / "a.py").read_bytes() in judged
    assert not {(project / name).read_bytes() for name in ("b.py", "broken.py")} & set(judged)
    found = cached(project)
    assert found == check(project)
    assert "SHD900" in {finding.code for finding in found.findings}  # nobody had asked for the syntax before


def test_idle_files_are_judged_anew_under_other_settings(project: Path) -> None:
    assert len(cached(project, ignore=("SHD198",)).findings) == 0
    write(project, d="import a, b, c\n")
    assert len(cached(project).findings) == 2


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-9], lambda data: b"\xff" + data])
def test_damaged_lines_about_idle_files_are_nothing(project: Path, damage: Callable[[bytes], bytes]) -> None:
    cached(project)
    path = idle_file(project)
    path.write_bytes(damage(path.read_bytes()))
    write(project, c=f"import b\n{HAZARD}")
    assert cached(project) == check(project)


def test_a_line_of_another_form_is_nothing(tmp_path: Path) -> None:
    store = FolderStore(str(tmp_path / "facts"), "1")
    record = Record("settings", None, SOUND)
    store.put("ab" * 16, record._replace(settings="two words"))
    store.put("cd" * 16, record)
    again = FolderStore(store.path, "1")
    assert (again.get("ab" * 16), again.get("cd" * 16)) == (None, record)


def test_lines_about_idle_files_are_not_written_through_a_link(tmp_path: Path) -> None:
    store, outside = FolderStore(str(tmp_path / "facts"), "1"), tmp_path / "outside"
    outside.write_text("not ours")
    place = tmp_path / "facts" / "00" / "idle"
    place.parent.mkdir(parents=True)
    place.symlink_to(outside)
    store.put("ab" * 16, Record("settings", None, SOUND))
    assert outside.read_text() == "not ours"


def test_damaged_facts_are_made_again(project: Path) -> None:
    write(project, a=large("b"), b=large("a"))
    first = cached(project)
    files = [path for path in (project.parent / "cache").glob("*.facts/*/*") if path.is_file()]
    assert len(files) == 2
    good = [path.read_bytes() for path in files]
    for damage in (
        lambda data: b"",
        lambda data: data[:-9],
        lambda data: data.replace(b"f", b"g"),
        lambda data: b"\xff" * 99,
    ):
        for path, data in zip(files, good, strict=True):
            path.write_bytes(damage(data))
        write(project, c=f"x = {damage(b'f' * 20)!r}\n")
        assert cached(project) == check(project)
        assert [path.read_bytes() for path in files] == good
    assert told(first)


def test_facts_of_other_settings_are_judged_anew(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, a=large("b"), b=large("a"))
    monkeypatch.setattr(facts_cache, "_WORTH", 0)
    write(project, b=large("a") + "    risk()\n")
    assert len(cached(project).findings) == 3
    with monkeypatch.context() as patched:
        patched.setattr(analysis, "take_in", lambda task: pytest.fail(f"{task.file.name} was lowered again"))
        assert len(cached(project, ignore=("SHD198",), extend_select=("SHD298",)).findings) == 1


def test_facts_of_contents_that_are_gone_are_forgotten_in_time(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts_cache, "_AT_LEAST", 2)
    monkeypatch.setattr(facts_cache, "_WORTH", 0)
    for number in range(20):
        write(project, a=large("b") + f"x = {number}\n")
        report = cached(project)
    assert report == check(project)
    kept = [path.name for path in (project.parent / "cache").glob("*.facts/*/*") if path.name != "idle"]
    assert len(kept) <= 9
    assert digest((project / "a.py").read_bytes()) in kept


def test_what_was_found_out_about_fixes_is_remembered(tmp_path: Path) -> None:
    """Of a file that has not changed, and its findings neither, whatever becomes of the rest of its part."""
    root, asked = tmp_path / "project", list[str]()
    write(root, a=f"import b\n{BAD}", b=f"import c\n{BAD}", c="x = 1\n")
    age(root)

    def refine(findings: Sequence[Finding], read: Callable[[str], str | None]) -> tuple[Finding, ...]:
        asked.append(os.path.basename(findings[0].path))
        assert read(findings[0].path)
        return tuple(finding._replace(fix=None, unfixed="not today") for finding in findings)

    def refined() -> set[tuple[str, str]]:
        options = Settings(root=str(root), jobs=1, cache=str(tmp_path / "cache"))
        found = engine.check([str(root)], options, refine=Refine(refine)).findings
        return {(os.path.basename(finding.path), finding.unfixed) for finding in found}

    assert refined() == {("a.py", "not today"), ("b.py", "not today")}
    assert sorted(asked) == ["a.py", "b.py"]
    write(root, c="x = 2\n")
    assert len(refined()) == 2
    assert sorted(asked) == ["a.py", "b.py"]
    write(root, b=f"import c\n\n{BAD}")
    assert len(refined()) == 2
    assert sorted(asked) == ["a.py", "b.py", "b.py"]


def test_several_processes_write_the_same_facts(tmp_path: Path) -> None:
    """A reader sees one of them whole, or none."""
    store = facts_cache.FolderStore(str(tmp_path / "x.facts"), "1")
    key, records = "0" * 32, [Record("s", ("SHD101",), str(number) * 20_000 * (number + 1)) for number in range(4)]
    writers = [multiprocessing.Process(target=write_often, args=(store, key, record)) for record in records]
    for writer in writers:
        writer.start()
    seen = {store.get(key) for _ in range(500)}
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 4
    assert seen <= {None, *records}
    assert store.get(key) in records
    assert [path.name for path in (tmp_path / "x.facts/00").iterdir()] == [key]


def write_often(store: facts_cache.FolderStore, key: str, record: Record) -> None:
    for _ in range(100):
        store.put(key, record)


def test_clean_removes_the_facts_too(project: Path) -> None:
    write(project, a=large("b"))
    cached(project)
    folder = project.parent / "cache"
    assert list(folder.glob("*.facts/*/*"))
    assert cache.clean(str(folder))
    assert not folder.exists()


def test_failures_are_not_remembered(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setitem(made_up.CHECKS, "SHD198", made_up.fails)
        assert "SHD904" in {finding.code for finding in cached(project).findings}
    assert cached(project) == check(project)


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    project = make_project(tmp_path, monkeypatch)
    monkeypatch.delenv("SHUTDOWN_LINT_CACHE_DIR")
    assert main(["--no-cache"]) == 1
    assert not (project / cache.FOLDER).exists()
    age(project)
    assert main([]) == 1
    folder = project / cache.FOLDER
    assert (folder / ".gitignore").read_text() == "*\n"
    assert (folder / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    first = capsys.readouterr().out
    assert main([]) == 1
    assert capsys.readouterr().out in first
    assert main(["clean"]) == 0
    assert not folder.exists()
    assert main(["clean"]) == 0
    assert capsys.readouterr().out == f"removed {folder}\nnothing to remove\n"


def test_clean_removes_nothing_that_is_no_cache(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text("{}")
    assert not cache.clean(str(tmp_path))
    assert (tmp_path / "data.json").exists()


def test_a_warm_run_loads_no_parser_and_no_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_project(tmp_path, monkeypatch)
    age(tmp_path)
    assert run().returncode == 1
    code = "import sys; from shutdown_lint.cli import main; main(['--output-format', 'concise'])"
    heavy = (
        "print(*sorted({'ast', 'libcst', 'rich', 'shutdown_lint.lower', 'shutdown_lint.project'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; {heavy}"], capture_output=True, text=True, check=True, timeout=LIMIT
    )
    assert done.stdout.splitlines()[-1] == ""


def test_processes_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_project(tmp_path, monkeypatch)
    age(tmp_path)
    command = [*COMMAND, "--output-format", "concise"]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(6)]
    outputs = {each.communicate(timeout=LIMIT) for each in runs}
    assert len(outputs) == 1
    assert next(iter(outputs))[1] == b""
    assert run("--output-format", "concise").stdout == next(iter(outputs))[0]


def test_a_record_of_facts_is_never_written_through_a_link(tmp_path: Path) -> None:
    store, outside = FolderStore(str(tmp_path / "facts"), "1"), tmp_path / "outside"
    outside.write_text("not ours")
    place = tmp_path / "facts" / "ab" / ("ab" * 16)
    place.parent.mkdir(parents=True)
    place.symlink_to(outside)
    store.write(place.name, "text")
    assert (store.read(place.name), outside.read_text()) == ("text", "not ours")
    assert [entry.name for entry in place.parent.iterdir()] == [place.name]
    place.write_text(place.read_text()[:-1])
    assert store.read(place.name) == ""
