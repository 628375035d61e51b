"""Which configuration applies, what it may say, and how mistakes are told."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from shutdown_lint import config, options
from shutdown_lint.config import ConfigError, Layer, Root
from shutdown_lint.settings import Settings

OF_FILES = {"extend", "required-version"}  # these speak of the configuration, not of the run
PYPROJECT = "[tool.shutdown-lint]\n"


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def error_of(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        config.read(str(path))
    return str(caught.value)


def settings_of(folder: Path, *paths: str) -> Settings:
    given_paths = [str(folder / path) for path in paths] or [str(folder)]
    root = config.find_root(given_paths)
    return config.to_settings(config.rebase(config.find(given_paths), root.folder), root)


# --- the table of options --------------------------------------------------------------------------------------------


def test_every_key_is_a_field_of_the_settings() -> None:
    fields = {key.replace("-", "_") for key in options.by_key() if key not in OF_FILES}
    assert fields <= set(Settings._fields)
    assert set(Settings._fields) - fields == {"root", "cache", "jobs", "stdin_filename"}


def test_flags_and_keys_are_unique_and_named_alike() -> None:
    flags = [option.flag for option in options.OPTIONS if option.flag]
    assert len(flags) == len(set(flags))
    assert all(option.flag in ("", f"--{option.key}") for option in options.OPTIONS if option.key)


def test_documented_defaults_are_the_real_ones() -> None:
    defaults = Settings()
    for option in options.by_key().values():
        if option.key in OF_FILES:
            continue
        value = getattr(defaults, option.key.replace("-", "_"))
        if option.kind == "switch":
            assert option.default == str(value).lower()
        elif option.kind == "selectors":
            assert (option.default, value) == ("[]", ())
        elif option.kind == "choice":
            assert option.default == f'"{value}"'
    assert options.by_key()["src"].default == str(list(defaults.src)).replace("'", '"')
    assert options.by_key()["target-version"].default.endswith("py{}{}".format(*defaults.target_version))


def test_docs_name_every_option() -> None:
    docs = options.render_docs()
    assert all(f"| `{option.key or option.flag}` |" in docs for option in options.OPTIONS)


# --- which file ------------------------------------------------------------------------------------------------------


def test_the_nearest_file_with_something_to_say_applies(tmp_path: Path) -> None:
    write(tmp_path / ".git/HEAD", "")
    write(tmp_path / "pyproject.toml", PYPROJECT + 'ignore = ["SHD101"]')
    write(tmp_path / "pkg/pyproject.toml", "[project]\nname = 'pkg'\n")
    assert config.find([str(tmp_path / "pkg/sub/a.py")]).values == {"ignore": ["SHD101"]}


def test_own_files_win_over_pyproject(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", PYPROJECT + "src = ['one']")
    write(tmp_path / "shutdown-lint.toml", "src = ['two']")
    assert config.find([str(tmp_path)]).values == {"src": ["two"]}
    write(tmp_path / ".shutdown-lint.toml", "src = ['three']")
    assert config.find([str(tmp_path)]).values == {"src": ["three"]}


def test_the_search_starts_at_the_common_parent(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", PYPROJECT + "src = ['top']")
    write(tmp_path / "a/shutdown-lint.toml", "src = ['a']")
    write(tmp_path / "b/shutdown-lint.toml", "src = ['b']")
    assert config.find([str(tmp_path / "a"), str(tmp_path / "b/x.py")]).values == {"src": ["top"]}
    assert config.find([str(tmp_path / "a/one.py"), str(tmp_path / "a/two.py")]).values == {"src": ["a"]}


def test_nothing_above_the_repository_applies(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", PYPROJECT + "src = ['outside']")
    write(tmp_path / "repo/.git/HEAD", "")
    assert config.find([str(tmp_path / "repo/pkg")]) == Layer({})


def test_a_root_is_marked_or_the_common_parent(tmp_path: Path) -> None:
    lonely, other = write(tmp_path / "x/a.py", ""), write(tmp_path / "y/b.py", "")
    assert config.find_root([str(lonely), str(other)]) == Root(str(tmp_path), marked=False)
    assert settings_of(tmp_path, "x/a.py", "y/b.py").knowledge == "paths"
    write(tmp_path / "setup.cfg", "")
    assert config.find_root([str(lonely)]) == Root(str(tmp_path), marked=True)
    assert settings_of(tmp_path, "x/a.py").knowledge == "project"


def test_a_removed_current_folder_is_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert config.find(["."]).values == {}
    monkeypatch.chdir(tmp_path)


# --- files that cannot be read ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xef\xbb\xbfsrc = []\n", ":1:1: starts with a byte order mark"),
        (b"src = []\n# caf\xc3\xa9 \xe9\n", ":2:8: not UTF-8"),
        (b"src = []\nselect = [\n  'SHD101'\n  'SHD103'\n]\n", ":4:3: invalid TOML: "),
        (b"src = ", ":1:7: invalid TOML: "),
        (b"src = []\nsrc = []\n", ":2:9: invalid TOML: "),
        (b"x = " + b"[" * 10_000 + b"]" * 10_000, ": too deeply nested"),
        (b"# " + b"x" * (1 << 20), ": larger than 1 MiB"),
        (b"x = " + b"9" * 100_000, ": invalid TOML: "),
    ],
    ids=["bom", "latin-1", "comma", "end", "twice", "nested", "large", "digits"],
)
def test_broken_files_are_told_with_their_place(tmp_path: Path, content: bytes, message: str) -> None:
    path = write(tmp_path / "shutdown-lint.toml", content)
    assert f"{path}{message}" in error_of(path)


def test_a_key_of_very_many_parts_ends_soon(tmp_path: Path) -> None:
    path = write(tmp_path / "shutdown-lint.toml", "a" + ".a" * 50_000 + " = 1")
    assert error_of(path)


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / ".shutdown-lint.toml").symlink_to("nowhere")
    assert "is a pipe, not a regular file" in error_of(tmp_path / "pipe.toml")
    assert "is a folder, not a regular file" in error_of(tmp_path / "folder.toml")
    with pytest.raises(ConfigError, match="no such file"):
        config.find([str(tmp_path)])


# --- what they say ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("slect = []", "unknown key `slect`; did you mean `select`?"),
        ("per_file_ignores = {}", "unknown key `per_file_ignores`; did you mean `per-file-ignores`?"),
        ("plugins = ['x']", "unknown key `plugins`"),
        ("select = 'SHD101'", "`select` must be a list of strings, not string 'SHD101'"),
        ("exclude = [1]", "`exclude[0]` must be a string, not integer 1"),
        ("force-exclude = 'yes'", "`force-exclude` must be true or false, not string 'yes'"),
        ("respect-gitignore = 1", "`respect-gitignore` must be true or false, not integer 1"),
        ("target-version = 3.1", '`target-version` must be a string such as "py310", not float 3.1'),
        ("target-version = 'py27'", "`target-version` must be a string such as"),
        ("knowledge = 'all'", '`knowledge` must be "project" or "paths", not string \'all\''),
        ("knowledge = true", "not boolean true"),
        ("per-file-ignores = []", "`per-file-ignores` must be a table of glob = [rules], not array []"),
        ('per-file-ignores = {"a.py" = "x"}', '`per-file-ignores."a.py"` must be a list of strings'),
        ("ignore = ['SHD101', 'exit-skip-cleanup']", "`ignore[1]`: unknown rule selector `exit-skip-cleanup`"),
        ("ignore = ['exit-skip-cleanup']", "did you mean `exit-skips-cleanup`"),
        ('per-file-ignores = {"a.py" = ["SHD199"]}', '`per-file-ignores."a.py"[0]`: unknown rule selector'),
        ("select = 1979-05-27", "not date "),
        ('per-file-ignores = {"[z-a" = []}', '`per-file-ignores."[z-a"`: a `[` in the glob is never closed'),
        ("exclude = ['ok[ab]', '[']", "`exclude[1]`: a `[` in the glob is never closed"),
    ],
)
def test_mistakes_are_told_with_file_key_and_type(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "shutdown-lint.toml", text)
    assert error_of(path).startswith(f"{path}: ")
    assert message in error_of(path)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = write(tmp_path / "pyproject.toml", PYPROJECT + "slect = []\nsrc = 1\n")
    assert [line.partition("] ")[0] for line in error_of(path).splitlines()] == [
        f"{path}: [tool.shutdown-lint]: unknown key `slect`; did you mean `select`?",
        f"{path}: [tool.shutdown-lint]: `src` must be a list of strings, not integer 1",
    ]


@pytest.mark.parametrize("glob", ["a[bc]d", "[]]", "[!]]x", "[[]id].py", "*", "a]b"])
def test_globs_that_are_right(glob: str) -> None:
    assert config.check({"exclude": [glob]}, "here")


@pytest.mark.parametrize("text", ["tool = 1", "[tool]\nshutdown-lint = 1", "[[tool.shutdown-lint]]"])
def test_a_table_that_is_none(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "pyproject.toml", text)
    if text == "tool = 1":
        assert config.read(str(path)).values == {}
    else:
        assert "[tool.shutdown-lint] must be a table" in error_of(path)


VALUES = st.recursive(
    st.sampled_from([True, 1, -(10**30), 0.5, "", "SHD101", "py311", "paths", "é\x00", datetime(2020, 1, 1)]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "", "*"]), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from([*options.by_key(), "other"]), VALUES, max_size=3))
def test_whatever_a_table_holds_it_is_refused_or_makes_settings(table: dict[str, Any]) -> None:
    try:
        values = config.check(table, "here")
    except ConfigError as error:
        assert all(line for line in str(error).split("\n"))
        return
    assert isinstance(config.to_settings(values, Root(".", marked=True)), Settings)


# --- settings --------------------------------------------------------------------------------------------------------


def test_every_key_reaches_the_settings(tmp_path: Path) -> None:
    text = """
    select = ["ALL"]
    extend-select = ["SHD108"]
    ignore = ["exit-in-thread"]
    exclude = ["gen"]
    extend-exclude = ["vendored"]
    force-exclude = true
    respect-gitignore = false
    src = ["lib"]
    knowledge = "paths"
    target-version = "py312"
    per-file-ignores = {"tests/*" = ["SHD1"]}
    """
    write(tmp_path / "shutdown-lint.toml", text)
    assert settings_of(tmp_path) == Settings(
        root=str(tmp_path),
        select=("ALL",),
        extend_select=("SHD108",),
        ignore=("exit-in-thread",),
        exclude=("gen",),
        extend_exclude=("vendored",),
        force_exclude=True,
        respect_gitignore=False,
        src=("lib",),
        knowledge="paths",
        target_version=(3, 12),
        per_file_ignores=(("tests/*", ("SHD1",)),),
    )


@pytest.mark.parametrize(
    ("required", "expected"),
    [(">=3.11", (3, 11)), ("~=3.12.1", (3, 12)), (">=3.9,<4", (3, 9)), ("==3.13.*", (3, 13)), ("", (3, 10))],
)
def test_requires_python_is_the_default_target(tmp_path: Path, required: str, expected: tuple[int, int]) -> None:
    write(tmp_path / "pyproject.toml", f'[project]\nrequires-python = "{required}"\n{PYPROJECT}')
    assert settings_of(tmp_path).target_version == expected


@pytest.mark.parametrize("text", ["py310", "3.10"])
def test_target_versions(text: str) -> None:
    assert config.target_version(text) == (3, 10)


@pytest.mark.parametrize("text", ["", "py", "py3", "py2.7", "310", "3", "py3100", "4.0", "py3١"])
def test_target_versions_that_are_none(text: str) -> None:
    assert config.target_version(text) is None


def test_the_upper_layer_wins_and_extensions_add_up() -> None:
    file = {"select": ["SHD1"], "ignore": ["SHD101"], "extend-select": ["SHD2"], "exclude": ["a"]}
    file["extend-exclude"] = ["b"]
    flags = {"ignore": ["SHD103"], "exclude": ["c"], "extend-exclude": ["d"]}
    assert config.merge(file, flags) == {
        "select": ["SHD1"],
        "ignore": ["SHD101", "SHD103"],
        "extend-select": ["SHD2"],
        "exclude": ["c"],
        "extend-exclude": ["b", "d"],
    }


def test_a_selection_on_top_starts_anew() -> None:
    file = {"select": ["SHD1"], "ignore": ["SHD101"], "extend-select": ["SHD2"], "src": ["lib"]}
    assert config.merge(file, {"select": ["SHD101"]}) == {"select": ["SHD101"], "src": ["lib"]}


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("build", "build"),
        ("*.gen.py", "*.gen.py"),
        ("**/gen/*", "**/gen/*"),
        ("pkgs/a/gen/*", "gen/*"),
        ("pkgs/*/gen", "gen"),
        ("./pkgs/a/x.py", "x.py"),
        ("pkgs/b/gen", ""),
        ("pkgs/a", "*"),
        ("docs/conf.py", ""),
    ],
)
def test_patterns_of_a_file_further_up_start_from_its_folder(tmp_path: Path, glob: str, expected: str) -> None:
    layer = Layer({"extend-exclude": [glob], "per-file-ignores": {glob: ["SHD1"]}}, str(tmp_path))
    values = config.rebase(layer, str(tmp_path / "pkgs/a"))
    assert values["extend-exclude"] == ([expected] if expected else [])
    assert values["per-file-ignores"] == ({expected: ["SHD1"]} if expected else {})


def test_source_folders_of_a_file_further_up_start_from_its_folder(tmp_path: Path) -> None:
    layer = Layer({"src": ["lib"]}, str(tmp_path))
    assert config.rebase(layer, str(tmp_path / "pkg"))["src"] == [str(tmp_path / "lib")]
