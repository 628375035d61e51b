"""Discovery, names, decoding, bounds, prefilter, console scripts."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from shutdown_lint.models import builtin_models
from shutdown_lint.packaging import scripts, windows
from shutdown_lint.prefilter import compile_prefilter
from shutdown_lint.settings import Settings
from shutdown_lint.source import TroubleError, discover, name_files, read_bytes, slow
from shutdown_lint.triggers import Text, fires, parts_of


def write(root: Path, *names: str, text: str = "x = 1\n") -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def found(root: Path, *paths: str, **settings: Any) -> list[str]:
    options = Settings(root=str(root))._replace(**settings)
    files = discover([str(root / path) for path in paths or ("",)], options).files
    return [os.path.relpath(file, root) for file in files]


# --- discovery -------------------------------------------------------------------------------------------------------


def test_walk_takes_python_files_in_order_of_names_before_folders(tmp_path: Path) -> None:
    write(tmp_path, "b.py", "a/z.py", "a/b.pyw", "c.pyi", "d.txt", "e.ipynb", "run")
    assert found(tmp_path) == ["b.py", "c.pyi", "a/b.pyw", "a/z.py"]


def test_default_excludes_and_virtual_environments(tmp_path: Path) -> None:
    write(tmp_path, ".venv/a.py", "node_modules/a.py", "env/lib/a.py", "app/a.py", "env/pyvenv.cfg")
    assert found(tmp_path) == ["app/a.py"]


@pytest.mark.parametrize("pattern", ["gen", "gen/", "app/gen", "./app/gen", "app/g?n", "*/gen/x.py", "x.*"])
def test_exclude_patterns(tmp_path: Path, pattern: str) -> None:
    write(tmp_path, "app/gen/x.py", "app/y.py")
    assert found(tmp_path, extend_exclude=(pattern,)) == ["app/y.py"]


def test_a_named_file_is_taken_unless_exclusion_is_forced(tmp_path: Path) -> None:
    write(tmp_path, "build/a.py", "run")
    assert found(tmp_path, "build/a.py", "run") == ["build/a.py", "run"]
    assert found(tmp_path, "build/a.py", "run", force_exclude=True) == ["run"]
    assert found(tmp_path / "build", ".", force_exclude=True) == ["a.py"]


def test_gitignore_is_read_at_each_level(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "gen/b.py", "app/c.py", "app/keep/d.py", "app/keep/e.py", "app/f_pb2.py")
    (tmp_path / ".gitignore").write_text("/gen/\n*_pb2.py\nd.py\n")
    (tmp_path / "app/keep/.gitignore").write_text("!d.py\ne.py\n")
    assert found(tmp_path) == ["a.py", "app/c.py", "app/keep/d.py"]
    assert "gen/b.py" in found(tmp_path, respect_gitignore=False)


def test_gitignore_above_the_path_counts(tmp_path: Path) -> None:
    write(tmp_path, "app/sub/a.py", "app/sub/b_pb2.py")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("*_pb2.py\n")
    assert found(tmp_path, "app/sub") == ["app/sub/a.py"]


def test_gitignored_file_that_is_named_is_taken(tmp_path: Path) -> None:
    write(tmp_path, "a.py")
    (tmp_path / ".gitignore").write_text("*.py\n")
    assert found(tmp_path) == []
    assert found(tmp_path, "a.py") == ["a.py"]


def test_broken_patterns_of_a_gitignore_are_skipped(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "b.py")
    (tmp_path / ".gitignore").write_bytes(b"\xff\xfe[\n!!!\n[z-a]\n\\\nb.py\n")
    assert found(tmp_path) == ["a.py"]


def test_one_file_by_three_spellings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.py")
    monkeypatch.chdir(tmp_path)
    files = discover(["a.py", "./a.py", ".", str(tmp_path)], Settings(root="."))
    assert files.files == (str(tmp_path / "a.py"),)


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path, "p/a.py")
    (tmp_path / "p/up").symlink_to("..")
    (tmp_path / "l1").symlink_to("l2")
    (tmp_path / "l2").symlink_to("l1")
    assert found(tmp_path) == ["p/a.py"]


def test_links_to_files_stay_inside_the_root(tmp_path: Path) -> None:
    write(tmp_path, "root/a.py", "outside.txt")
    (tmp_path / "root/b.py").symlink_to("a.py")
    (tmp_path / "root/c.py").symlink_to("../outside.txt")
    result = discover([str(tmp_path / "root")], Settings(root=str(tmp_path / "root")))
    assert [os.path.basename(file) for file in result.files] == ["a.py", "b.py"]
    assert "outside the project root" in result.warnings[0]
    assert found(tmp_path / "root", "c.py") == ["c.py"]


def test_a_file_that_is_not_utf8_named(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/bad\xff\xfe.py"
    with open(path, "w") as stream:
        stream.write("x = 1\n")
    assert [os.fsencode(file) for file in discover([str(tmp_path)], Settings(root=str(tmp_path))).files] == [path]


# --- names -----------------------------------------------------------------------------------------------------------


def names(root: Path, *files: str, src: tuple[str, ...] = (".", "src")) -> list[str]:
    settings = Settings(root=str(root), src=src)
    return [file.name for file in name_files([(str(root / file), True) for file in files], settings)]


def test_packages_are_named_from_their_top(tmp_path: Path) -> None:
    write(tmp_path, "lib/pkg/__init__.py", "lib/pkg/sub/__init__.py", "lib/pkg/sub/m.py", "lib/pkg/__main__.py")
    assert names(tmp_path, "lib/pkg/__init__.py", "lib/pkg/sub/m.py", "lib/pkg/__main__.py") == [
        "pkg",
        "pkg.sub.m",
        "pkg.__main__",
    ]


def test_namespace_packages_are_named_from_the_source_root(tmp_path: Path) -> None:
    write(tmp_path, "src/ns/one/m.py", "src/ns/pkg/__init__.py", "src/ns/pkg/n.py", "scripts/tool.py", "top.py")
    assert names(tmp_path, "src/ns/one/m.py", "src/ns/pkg/n.py", "scripts/tool.py", "top.py") == [
        "ns.one.m",
        "ns.pkg.n",
        "scripts.tool",
        "top",
    ]


def test_a_stub_package_counts_as_a_package(tmp_path: Path) -> None:
    write(tmp_path, "pkg/__init__.pyi", "pkg/m.py")
    (file,) = name_files([(str(tmp_path / "pkg/m.py"), False)], Settings(root=str(tmp_path)))
    assert (file.name, file.is_package, file.stub, file.reported) == ("pkg.m", False, False, False)


def test_a_file_does_not_stand_for_a_module_of_the_standard_library(tmp_path: Path) -> None:
    write(tmp_path, "signal.py", "pkg/__init__.py", "pkg/signal.py", "queue/__init__.py")
    write(tmp_path, "stubs/atexit/__init__.pyi", "stubs/atexit/more.pyi")
    assert names(tmp_path, "signal.py", "pkg/signal.py", "queue/__init__.py") == ["~signal", "pkg.signal", "queue"]
    assert names(tmp_path, "signal.py", "stubs/atexit/__init__.pyi", "stubs/atexit/more.pyi")[1:] == [
        "~atexit",
        "~atexit.more",
    ]


def test_two_packages_of_one_name_are_told_apart(tmp_path: Path) -> None:
    files = ["a/app/__init__.py", "a/app/m.py", "b/app/__init__.py", "b/app/m.py", "b/app/only.py"]
    write(tmp_path, "setup.py", *files)
    assert names(tmp_path, *files) == ["app", "app.m", "b.app", "b.app.m", "b.app.only"]


def test_modules_are_named_by_the_project_that_they_are_in(tmp_path: Path) -> None:
    files = ["services/mail/utils.py", "services/web/utils.py", "services/web/tests/test_utils.py", "tools/run.py"]
    inner = ["services/web/src/app/__init__.py", "libs/acme-core/src/acme/core/__init__.py", "libs/acme-core/bin/x.py"]
    write(tmp_path, *files, *inner)
    write(
        tmp_path, "pyproject.toml", "services/mail/pyproject.toml", "services/web/setup.cfg", "libs/acme-core/setup.py"
    )
    assert names(tmp_path, *files, *inner) == [
        "utils",
        "utils",
        "tests.test_utils",
        "tools.run",
        "app",
        "acme.core",
        "bin.x",
    ]


def test_projects_below_a_root_that_says_nothing(tmp_path: Path) -> None:
    """The first folders with packages in them; one whose name no import could spell is a project as well."""
    files = [
        "mailer/mailer/__init__.py",
        "mailer/docs/conf.py",
        "web-app/web/main.py",
        "a/b/run.py",
        "tests/test_all.py",
    ]
    write(tmp_path, *files)
    assert names(tmp_path, *files) == ["mailer", "docs.conf", "web.main", "a.b.run", "tests.test_all"]
    write(tmp_path, "main.py")
    assert names(tmp_path, "main.py", *files)[2:] == [
        "mailer.docs.conf",
        "web.main",
        "a.b.run",
        "tests.test_all",
    ]


def test_paths_are_shown_relative_below_the_working_folder_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "here/a.py", "there/b.py")
    monkeypatch.chdir(tmp_path / "here")
    settings = Settings(root=str(tmp_path))
    files = list(name_files([(str(tmp_path / "here/a.py"), True), (str(tmp_path / "there/b.py"), True)], settings))
    assert [file.path for file in files] == ["a.py", str(tmp_path / "there/b.py")]


# --- reading ---------------------------------------------------------------------------------------------------------


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "zero.py").symlink_to("/dev/zero")
    for path, words in (("pipe.py", "a pipe"), ("zero.py", "a device"), (".", "a folder"), ("none.py", "no such file")):
        with pytest.raises(TroubleError, match=words) as caught:
            read_bytes(str(tmp_path / path))
        assert caught.value.trouble.code == "SHD901"


def test_size_bound(tmp_path: Path) -> None:
    with open(tmp_path / "big.py", "wb") as stream:
        stream.truncate(10 * 1024 * 1024 + 1)
    with pytest.raises(TroubleError, match="larger than 10 MiB") as caught:
        read_bytes(str(tmp_path / "big.py"))
    assert caught.value.trouble.code == "SHD903"


# --- prefilter and console scripts -----------------------------------------------------------------------------------


def test_what_triggers_ask_for() -> None:
    triggers = ("_exit", "except:", "super() & stop", r"re:\.join\(\s*\)")
    found = [parts_of(trigger) for trigger in triggers]
    for data in (b"os._exit(1)", b"except:", b"def stop(): super()", b"t.join( )"):
        assert fires(found, Text(data))
    for data in (b"exit()", b"", b"super()", b"stop", b"a.join(b)"):
        assert not fires(found, Text(data))
    assert not fires((), Text(b"anything"))


def test_names_of_models_ask_for_their_import() -> None:
    codes, models = ("SHD301",), builtin_models()
    prefilter = compile_prefilter(codes, models, ("begin",), frozenset({"celery"}))
    for data in (b"from threading import Thread as T", b"import a, threading\nthreading.Thread()", b"def begin(): 0"):
        assert prefilter.passes(data)
    for data in (b"Thread()", b"import threading\nThreadPool", b"from celery import Celery\napp.worker_main()"):
        assert not prefilter.passes(data)
    assert prefilter.codes(b"", "package.__main__") == {"SHD301"}
    assert prefilter.codes(b"x = 1 # noqa: SHD301", "package") == frozenset()
    assert prefilter.codes(b"x = 1", "package") is None


def test_console_scripts(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project.scripts]\na = "pkg.cli:main"\n[project.gui-scripts]\nb = "pkg.gui:Window.run [extra]"\n'
        '[tool.poetry.scripts]\nc = {reference = "pkg.c:run", type = "console"}\nd = 3\n'
    )
    (tmp_path / "setup.cfg").write_text(
        "[metadata]\nname = x\n[options.entry_points]\nconsole_scripts =\n    e = pkg.e:main\n    f=pkg.f:main\n"
        "other = \n  g = h:i\n"
    )
    folder = tmp_path / "pkg-1.0.dist-info"
    folder.mkdir()
    (folder / "entry_points.txt").write_text("[console_scripts]\nh = pkg.h:main\n\n[other]\ni = pkg.i:main\n")
    assert scripts(str(tmp_path)) == (
        ("a", "pkg.cli:main"),
        ("b", "pkg.gui:Window.run"),
        ("c", "pkg.c:run"),
        ("e", "pkg.e:main"),
        ("f", "pkg.f:main"),
        ("h", "pkg.h:main"),
    )


def test_where_a_project_says_that_it_runs_on_windows(tmp_path: Path) -> None:
    assert windows(str(tmp_path)) is None
    (tmp_path / "pyproject.toml").write_text('[project]\nclassifiers = ["Operating System :: POSIX :: Linux"]\n')
    assert windows(str(tmp_path)) is None
    info = tmp_path / "relay-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: relay\nClassifier: Operating System :: Microsoft :: Windows :: Windows 10\n")
    found = windows(str(tmp_path))
    assert found == (str(info / "METADATA"), 2, "Operating System :: Microsoft :: Windows :: Windows 10")
    (tmp_path / "setup.py").write_text("setup(\n    classifiers=['Operating System :: OS Independent'],\n)\n")
    assert windows(str(tmp_path)) == (str(tmp_path / "setup.py"), 2, "Operating System :: OS Independent")


@pytest.mark.parametrize(
    "text", ["[project.scripts\n", "[project]\nscripts = 3\n", "scripts = " + "[" * 5000, "\0scripts"]
)
def test_a_broken_pyproject_has_no_scripts(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    (tmp_path / "setup.cfg").mkdir()
    assert scripts(str(tmp_path)) == ()
    assert scripts(str(tmp_path / "none")) == ()


def test_import_of_source_is_light() -> None:
    import subprocess

    heavy = {"libcst", "pathspec", "asyncio", "logging", "multiprocessing", "dataclasses", "rich", "importlib.metadata"}
    code = f"import sys; import shutdown_lint.engine; print(*{heavy!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


# --- .gitignore files that are made to take for ever ------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["*a" * 30 + "b", "**/a/" * 12 + "b", "?*a" * 20 + "!"])
def test_patterns_that_no_regex_engine_comes_to_an_end_with(tmp_path: Path, pattern: str) -> None:
    folder = tmp_path.joinpath(*["a"] * 40)
    folder.mkdir(parents=True)
    (folder / ("a" * 200 + ".py")).touch()
    (tmp_path / ".gitignore").write_text(f"{pattern}\n*b*c*d*\n")
    (tmp_path / "abcd.py").touch()
    assert found(tmp_path) == [str(folder.relative_to(tmp_path) / ("a" * 200 + ".py"))]


@pytest.mark.parametrize(
    ("lines", "left_out", "taken"),
    [
        ("x/\n", "x/ a/x/ x/b", "x xx"),
        ("/x\n", "x x/ x/y", "a/x"),
        ("a/x\n", "a/x a/x/y", "b/a/x x"),
        ("a/**\n", "a/b a/b/c", "a b/a/b"),
        ("**/x\n", "x a/x a/b/x/c", "xx"),
        ("a/**/x\n", "a/x a/b/x a/b/c/x", "b/a/x a/b"),
        ("*.py\n!x.py\n", "a.py b/a.py", "x.py b/x.py"),
        ("a/\n!a/x\n", "a/x a/", "b/x"),  # git does not look into a folder that is left out
        ("\\!x\n\\#y\nz\\ \n", "!x #y", "x y"),
        ("[!a]x\n[^b]y\n", "bx ay", "ax by"),
        ("x  \n# y\n\n", "x", "y"),
    ],
)
def test_slow_files_are_read_as_git_reads_them(lines: str, left_out: str, taken: str) -> None:
    include = slow.reader(lines.split("\n"))
    assert [path for path in left_out.split() if not include(path)] == []
    assert [path for path in taken.split() if include(path)] == []


def test_usual_patterns_are_left_to_the_regex_engine() -> None:
    usual = [
        "*.py[cod]",
        "**/node_modules/**",
        "docs/**/*.md",
        ".*.sw*",
        "*$py.class",
        "!*.keep",
        "build/",
        "/a/*/b*.c*",
    ]
    assert [line for line in usual if slow.is_slow(line)] == []


def test_an_ignore_file_that_nobody_can_have_written(tmp_path: Path) -> None:
    (tmp_path / "a.py").touch()
    (tmp_path / ".gitignore").write_text("a.py\n" * 100_000)
    assert found(tmp_path) == ["a.py"]
