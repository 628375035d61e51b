"""Discovery, names, decoding, bounds, prefilter, console scripts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shutdown_lint import bounds, scanner
from shutdown_lint.packaging import scripts
from shutdown_lint.prefilter import compile_words
from shutdown_lint.settings import Settings
from shutdown_lint.source import TroubleError, decode, digest, discover, name_files, read_bytes


def write(root: Path, *names: str, text: str = "x = 1\n") -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def found(root: Path, *paths: str, **settings: object) -> list[str]:
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
        "pkg", "pkg.sub.m", "pkg.__main__"
    ]


def test_namespace_packages_are_named_from_the_source_root(tmp_path: Path) -> None:
    write(tmp_path, "src/ns/one/m.py", "src/ns/pkg/__init__.py", "src/ns/pkg/n.py", "scripts/tool.py", "top.py")
    assert names(tmp_path, "src/ns/one/m.py", "src/ns/pkg/n.py", "scripts/tool.py", "top.py") == [
        "ns.one.m", "ns.pkg.n", "scripts.tool", "top"
    ]


def test_a_stub_package_counts_as_a_package(tmp_path: Path) -> None:
    write(tmp_path, "pkg/__init__.pyi", "pkg/m.py")
    (file,) = name_files([(str(tmp_path / "pkg/m.py"), False)], Settings(root=str(tmp_path)))
    assert (file.name, file.is_package, file.stub, file.reported) == ("pkg.m", False, False, False)


def test_two_packages_of_one_name_are_told_apart(tmp_path: Path) -> None:
    files = ["a/app/__init__.py", "a/app/m.py", "b/app/__init__.py", "b/app/m.py", "b/app/only.py"]
    write(tmp_path, *files)
    assert names(tmp_path, *files) == ["app", "app.m", "b.app", "b.app.m", "b.app.only"]


def test_paths_are_shown_relative_below_the_working_folder_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "here/a.py", "there/b.py")
    monkeypatch.chdir(tmp_path / "here")
    settings = Settings(root=str(tmp_path))
    files = list(name_files([(str(tmp_path / "here/a.py"), True), (str(tmp_path / "there/b.py"), True)], settings))
    assert [file.path for file in files] == ["a.py", str(tmp_path / "there/b.py")]


# --- decoding --------------------------------------------------------------------------------------------------------

COOKIES = [
    b"", b"# coding: utf-8\n", b"# -*- coding: UTF_8 -*-\n", b"# coding: utf8\n", b"# coding: utf-8-sig\n",
    b"# coding: latin-1\n", b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n", b"# coding=iso_8859_15\n",
    b"\n# coding: latin-1\n", b"x = 1\n# coding: latin-1\n", b"\n\n# coding: latin-1\n", b"# coding: klingon\n",
    b"# coding: rot13\n", b"# coding: utf-7\n", b"\f# coding: latin-1\r\n", b"# coding: latin-1\r", b"'# coding: latin-1'\n",
    b"# coding: ascii\n", b"# coding: utf-16\n", b"# coding: ISO-8859-1-unix\n", b"# encoding: koi8-r, or so\n",
    b"# " + b"long" * 2000 + b"\n# coding: latin-1\n",
]
BODIES = [b"x = 1\n", b"s = '\xe9'\n", "s = 'é漢'\n".encode(), b"s = '+AGE-'\n", b"s = '\xff'\n"]


def as_cpython(data: bytes) -> bool:
    try:
        compile(data, "a.py", "exec")
    except (SyntaxError, ValueError, LookupError):
        return False
    return True


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["plain", "bom"])
@pytest.mark.parametrize("cookie", COOKIES, ids=lambda cookie: cookie[:40].decode("latin-1").strip() or "none")
def test_decoding_is_refused_where_cpython_refuses(cookie: bytes, bom: bytes) -> None:
    for body in BODIES:
        data = bom + cookie + body
        try:
            decoded = compile(decode(data), "a.py", "exec") is not None
        except TroubleError as error:
            assert error.trouble.code == "SHD902"
            decoded = False
        assert decoded == as_cpython(data), data


def test_decoded_text_is_what_cpython_sees() -> None:
    assert decode(b"# coding: latin-1\ns = '\xe9'\n").endswith("'é'\n")
    assert decode(b"# coding: utf-7\nimport os +ADs- os._exit(1)\n").endswith("import os ; os._exit(1)\n")
    assert decode(b"\xef\xbb\xbfx = 1\n") == "x = 1\n"


@pytest.mark.parametrize(
    ("data", "code", "words", "line"),
    [
        (b"x = 1\r\rs = '\xe9'\n", "SHD902", "0xe9 is not UTF-8, and no encoding is declared", 3),
        (b"# coding: klingon\n", "SHD902", "unknown encoding: klingon", 1),
        (b"# coding: rot13\n", "SHD902", "rot13", 1),
        (b"\xef\xbb\xbf# coding: latin-1\n", "SHD902", "contradicts|byte order mark", 1),
        ("x = 1\n".encode("utf-16"), "SHD902", "UTF-16", 1),
        (b"a\r\nb\n\x00", "SHD900", "null byte at offset 5", 3),
        (b"# coding: utf-7\n+AAA-\n", "SHD900", "null byte", 2),
    ],
)
def test_what_is_said_of_undecodable_bytes(data: bytes, code: str, words: str, line: int) -> None:
    with pytest.raises(TroubleError, match=words) as caught:
        decode(data)
    assert (caught.value.trouble.code, caught.value.trouble.line) == (code, line)


@given(st.binary(max_size=60))
def test_any_bytes_are_decoded_or_told(data: bytes) -> None:
    try:
        assert "\0" not in decode(data)
    except TroubleError as error:
        assert error.trouble.code in ("SHD900", "SHD902")


def test_digest_is_of_the_bytes() -> None:
    assert digest(b"x") == digest(b"x") != digest(b"x\n")
    assert len(digest(b"")) == 32


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


# --- bounds ----------------------------------------------------------------------------------------------------------


def nest(opening: str, closing: str, count: int) -> str:
    return "x = " + opening * count + "1" + closing * count + "\n"


HARMLESS = {
    "brackets": nest("(", ")", 150),
    "brackets in strings": "x = '" + "(" * 500 + "'  # " + "[" * 500 + "\n",
    "brackets in f-string text": "x = f'" + "(" * 500 + "{a}'\n",
    "long table": "x = [\n" + "    (-1, a.b, f(1)),\n" * 5000 + "]\n",
    "long dict": "x = {\n" + "    'a': -1 + 2,\n" * 5000 + "}\n",
    "lambdas in a list": "x = [" + "lambda a, b: a, " * 2000 + "]\n",
    "many statements": "a.b.c(d)[0] = -e\n" * 5000,
    "statements on a line": "a = -b; " * 3000 + "\n",
    "elif": "if a: pass\n" + "elif b: pass\n" * 900,
    "elif chains one after the other": ("if a: pass\n" + "elif b: pass\n" * 400) * 10,
    "decorators": "@a.b\n" * 5000 + "def f(): pass\n",
    "quotes in fields": "x = [" + "f'{a['b']}({c:{d}})', " * 3000 + "]\n",
    "string pieces": "x = (" + "'a'\n" * 2500 + ")\n",
    "case": "match x:\n" + "    case {'a': {'b': [C(d=(1, 2))]}}: pass\n" * 50,
}
EXCESSIVE = {
    "300 brackets": (nest("[", "]", 300), "SHD900"),
    "1,000 brackets": (nest("(", ")", 1000), "SHD900"),
    "100,000 brackets": (nest("(", ")", 100_000), "SHD903"),
    "100,000 open brackets": ("x = " + "[" * 100_000, "SHD903"),
    "sum": ("x = " + "1 + " * 5000 + "1\n", "SHD903"),
    "calls": ("x = a" + ".b()" * 5000 + "\n", "SHD903"),
    "subscripts": ("x = a" + "[0]" * 5000 + "\n", "SHD903"),
    "not": ("x = " + "not " * 5000 + "1\n", "SHD903"),
    "lambda": ("x = " + "lambda a, b: " * 5000 + "1\n", "SHD903"),
    "conditional": ("x = " + "1 if a else " * 2000 + "1\n", "SHD903"),
    "elif": ("if a:\n    pass\n" + "elif b:\n    pass\n" * 5000, "SHD903"),
    "elif in one line": ("if a: pass\n" + "elif b: pass\n" * 5000, "SHD903"),
    "string pieces": ("x = (" + "'a' " * 5000 + ")\n", "SHD903"),
    "case": ("match x:\n    case " + "[" * 30 + "]" * 30 + ": pass\n", "SHD903"),
    "del": ("del " + "(" * 40 + "a" + ")" * 40 + "\n", "SHD903"),
    "brackets and chains": ("x = " + "(1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + " * 150 + ")" * 150 + "\n", "SHD903"),
    "hidden in a field": ("x = f\"{" + '" " + ' + "[" * 300 + "]" * 300 + "}\"\n", "SHD900"),
    "hidden behind a string without space": ("x = a\"b\"" + nest("[", "]", 300), "SHD900"),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_people_write_is_let_through(name: str) -> None:
    assert bounds.check(HARMLESS[name]) is None
    assert scanner.scan(HARMLESS[name], bounds.LIMITS) is None


@pytest.mark.parametrize("name", EXCESSIVE)
def test_what_libcst_cannot_take_is_stopped(name: str) -> None:
    text, code = EXCESSIVE[name]
    trouble = bounds.check("import os\n\n" + text)
    assert trouble is not None
    assert trouble.code == code
    assert trouble.line >= 3


def test_the_quick_look_clears_nothing_that_the_scanner_stops() -> None:
    for text, _ in EXCESSIVE.values():
        assert not bounds.looks_harmless(text)


def test_place_of_the_trouble() -> None:
    trouble = bounds.check("a = 1\r\nb = 2\rx = " + "[" * 250 + "]" * 250)
    assert trouble is not None
    assert (trouble.line, trouble.col) == (3, 5 + 200)


@given(st.text(alphabet="()[]{}'\"\\\n#f:!=, .+lambdecsi*", max_size=200))
def test_scanner_reads_any_text(text: str) -> None:
    assert scanner.scan(text, bounds.LIMITS) is None
    assert scanner.layout(text) == scanner.layout(text)


def test_scanner_agrees_with_the_standard_library() -> None:
    """No bracket is left open at the end of any module of the standard library, whatever its strings hold."""
    folder = Path(os.__file__).parent
    for path in sorted(folder.glob("*.py"))[:60]:
        text = decode(path.read_bytes())
        ends = scanner.layout(text).line_ends
        assert ends[-1][1], path
        assert bounds.check(text) is None, path


# --- prefilter and console scripts -----------------------------------------------------------------------------------


def test_substrings_and_whole_words() -> None:
    pattern = compile_words(["_exit", "except:"], ["Thread", "signal"])
    for text in (b"os._exit(1)", b"except:", b"t = Thread()", b"import signal"):
        assert pattern.search(text)
    for text in (b"exit()", b"ThreadPool", b"signals", b"my_signal", b""):
        assert not pattern.search(text)
    assert not compile_words([], []).search(b"anything")


def test_console_scripts(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project.scripts]\na = "pkg.cli:main"\n[project.gui-scripts]\nb = "pkg.gui:Window.run [extra]"\n'
        '[tool.poetry.scripts]\nc = {reference = "pkg.c:run", type = "console"}\nd = 3\n'
    )
    (tmp_path / "setup.cfg").write_text(
        "[metadata]\nname = x\n[options.entry_points]\nconsole_scripts =\n    e = pkg.e:main\n    f=pkg.f:main\nother = \n  g = h:i\n"
    )
    folder = tmp_path / "pkg-1.0.dist-info"
    folder.mkdir()
    (folder / "entry_points.txt").write_text("[console_scripts]\nh = pkg.h:main\n\n[other]\ni = pkg.i:main\n")
    assert scripts(str(tmp_path)) == (
        ("a", "pkg.cli:main"), ("b", "pkg.gui:Window.run"), ("c", "pkg.c:run"), ("e", "pkg.e:main"), ("f", "pkg.f:main"),
        ("h", "pkg.h:main"),
    )


@pytest.mark.parametrize("text", ["[project.scripts\n", "[project]\nscripts = 3\n", "scripts = " + "[" * 5000, "\0scripts"])
def test_a_broken_pyproject_has_no_scripts(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    (tmp_path / "setup.cfg").mkdir()
    assert scripts(str(tmp_path)) == ()
    assert scripts(str(tmp_path / "none")) == ()


def test_import_of_source_is_light() -> None:
    import subprocess

    code = (
        "import sys; import shutdown_lint.engine; "
        "print(*{'libcst', 'pathspec', 'asyncio', 'logging', 'multiprocessing', 'dataclasses', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
