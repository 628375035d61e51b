"""The options of a run: one table from which the parser, the configuration schema and the docs come."""

from __future__ import annotations

from typing import NamedTuple


class Option(NamedTuple):
    """One option.

    ``key`` is its name in ``[tool.shutdown-lint]`` (empty: command line only), ``flag`` the one on the command line
    (empty: configuration only). ``kind`` is ``selectors``, ``patterns``, ``switch``, ``text``, ``texts``, ``places``, ``number``,
    ``version``, ``table`` (glob → selectors), ``severities`` (selector → word), ``models``, ``budget``, ``format`` and ``file`` (of an output) or ``choice``, which
    has ``words``. ``default`` is what the docs say; the values themselves stand in ``Settings``.
    """

    key: str
    flag: str
    kind: str
    default: str
    help: str
    metavar: str = ""
    words: tuple[str, ...] = ()


SEVERITIES = ("error", "warning", "info")
OUTPUT_FORMATS = (
    "full",
    "concise",
    "grouped",
    "json",
    "jsonl",
    "sarif",
    "github",
    "gitlab",
    "junit",
    "azure",
    "rdjson",
    "markdown",
    "html",
)

_RULES = (
    Option(
        "select",
        "--select",
        "selectors",
        "[]",
        "rules to run: codes, prefixes, names or ALL; none: the default rules",
        "RULES",
    ),
    Option("extend-select", "--extend-select", "selectors", "[]", "rules to run besides the selected ones", "RULES"),
    Option("ignore", "--ignore", "selectors", "[]", "rules not to run", "RULES"),
    Option("per-file-ignores", "", "table", "{}", "globs of files, each with the rules to ignore in them"),
    Option("severity", "", "severities", "{}", "selectors of rules, each with the severity to report", "", SEVERITIES),
)
_FILES = (
    Option(
        "exclude",
        "--exclude",
        "patterns",
        "usual",
        "files and folders to leave out, instead of the usual ones (.git, .venv, build, node_modules, …)",
        "PATTERNS",
    ),
    Option(
        "extend-exclude",
        "--extend-exclude",
        "patterns",
        "[]",
        "files and folders to leave out besides those",
        "PATTERNS",
    ),
    Option("force-exclude", "--force-exclude", "switch", "false", "leave out excluded files even when they are named"),
    Option("deployment", "", "switch", "true", "check deployment files too (docs/deployment.md)"),
    Option("respect-gitignore", "", "switch", "true", "leave out what .gitignore files leave out"),
    Option("src", "", "patterns", '[".", "src"]', "folders that hold top-level modules"),
    Option(
        "knowledge",
        "",
        "choice",
        '"project"',
        "what the analysis may read to judge the files given: the whole project, or these files only",
        "",
        ("project", "paths"),
    ),
    Option(
        "models",
        "",
        "models",
        "{}",
        "what libraries do that shutdown-lint does not know, in tables or in files; see [models](models.md)",
    ),
    Option(
        "budget",
        "",
        "budget",
        "{ grace = 30 }",
        "the time that a shutdown has, and its components with priority and limit; see [the shutdown map](map.md#the-budget)",
    ),
    Option(
        "target-version",
        "--target-version",
        "version",
        "requires-python, else py310",
        "the oldest Python that the code runs on",
        "VERSION",
    ),
)
_OUTPUT = (
    Option(
        "",
        "--output-format",
        "format",
        "full",
        "how findings are printed; several times for several outputs, each with its --output-file (one may do without)",
        "",
        OUTPUT_FORMATS,
    ),
    Option(
        "", "--output-file", "file", "stdout", "write the findings to this file, in the format named with it", "FILE"
    ),
    Option("", "--statistics", "switch", "", "print how often each rule speaks, instead of the findings"),
    Option(
        "fail-on",
        "--fail-on",
        "choice",
        '"info"',
        "the least severity of findings that make the exit code 1",
        "",
        SEVERITIES,
    ),
    Option("", "--exit-zero", "switch", "", "exit with 0 even when there are findings"),
    Option(
        "",
        "--color",
        "choice",
        "auto",
        "colours in text output; auto respects NO_COLOR and FORCE_COLOR",
        "",
        ("auto", "always", "never"),
    ),
)
_ADOPTION = (
    Option("baseline", "--baseline", "text", "none", "report only findings that this file does not know", "FILE"),
    Option(
        "",
        "--diff-only",
        "text",
        "",
        "report only findings that touch lines changed since this revision of git (or since its branch was left)",
        "REV",
    ),
    Option("", "--add-noqa", "switch", "", "write a comment to each finding that hides it, and stop"),
    Option("", "--reason", "text", "", "why the findings are hidden: text for the comments of --add-noqa", "TEXT"),
)
_FIXES = (
    Option("", "--fix", "switch", "", "apply safe fixes"),
    Option("", "--unsafe-fixes", "switch", "", "with --fix or --diff: unsafe fixes too; read what they change"),
    Option("", "--fix-only", "switch", "", "apply fixes and report nothing of what remains"),
    Option("", "--diff", "switch", "", "print what --fix would change, and change nothing"),
)
_RUN = (
    Option("extend", "", "text", "none", "a configuration file whose settings this one changes"),
    Option("required-version", "", "text", "any", "versions of shutdown-lint that may read this file, as `>=0.1,<2`"),
    Option(
        "",
        "--config",
        "texts",
        "the nearest file",
        "a configuration file, or one `KEY = VALUE` in TOML (repeatable)",
        "FILE|KEY=VALUE",
    ),
    Option("", "--isolated", "switch", "", "ignore all configuration files"),
    Option("", "--stdin-filename", "text", "", "the name of the file that is read from stdin (path: -)", "FILE"),
    Option("", "--show-files", "switch", "", "print the files that would be checked, and stop"),
    Option("", "--watch", "switch", "", "check again whenever a file of the project changes"),
    Option(
        "",
        "--facts",
        "places",
        "",
        "check what `shutdown-lint facts` has written to these files and folders, instead of sources (docs/scaling.md)",
        "DIR",
    ),
    Option("", "--jobs", "number", "the number of cores", "number of processes", "N"),
    Option(
        "",
        "--executor",
        "text",
        "",
        "have files read by the workers of a Dask cluster, `dask:tcp://HOST:PORT` (docs/scaling.md)",
        "EXECUTOR",
    ),
    Option("", "--no-cache", "switch", "", "do not use the cache"),
    Option(
        "",
        "--cache-dir",
        "text",
        "$SHUTDOWN_LINT_CACHE_DIR, else .shutdown_lint_cache",
        "the folder of the cache",
        "DIR",
    ),
    Option("", "--traceback", "switch", "", "print the traceback of an internal error (SHD904)"),
)

# in the order of the help text
GROUPS = (
    ("rules", _RULES),
    ("files", _FILES),
    ("output", _OUTPUT),
    ("adoption", _ADOPTION),
    ("fixes", _FIXES),
    ("run", _RUN),
)
OPTIONS: tuple[Option, ...] = tuple(option for _, options in GROUPS for option in options)

_TYPES = {
    "selectors": "a list of strings",
    "patterns": "a list of strings",
    "switch": "true or false",
    "text": "a string",
    "texts": "a string",
    "places": "a list of strings",
    "number": "a positive number",
    "version": 'a string such as "py310"',
    "table": "a table of glob = [rules]",
    "models": "a table of models",
    "budget": "a table of grace and components",
    "severities": "a table of selector = severity",
}


def by_key() -> dict[str, Option]:
    """The options that a configuration file may set."""
    return {option.key: option for option in OPTIONS if option.key}


def type_text(option: Option) -> str:
    """The type of an option's value, for messages and docs."""
    if option.kind == "choice":
        return " or ".join(f'"{word}"' for word in option.words)
    return _TYPES[option.kind]


_DOCS = """\
<!-- Written by scripts/generate.py from shutdown_lint/options.py: do not edit. -->

# Configuration

Settings stand in `[tool.shutdown-lint]` of the nearest `pyproject.toml`, or at the top level of `shutdown-lint.toml` or
`.shutdown-lint.toml`, which win over a `pyproject.toml` beside them. "Nearest" starts at the common parent of the
paths given and ends at the root of the repository. The command line wins over the file. An unknown key, a wrong type or
a selector that names no rule is an error (exit code 2), never ignored.

```toml
[tool.shutdown-lint]
extend-select = ["SHD108"]
extend-exclude = ["vendored"]
target-version = "py311"

[tool.shutdown-lint.per-file-ignores]
"scripts/*.py" = ["SHD1", "thread-not-joined"]
```

The **project root** is the nearest folder with a `pyproject.toml`, `setup.cfg`, `setup.py`, `shutdown-lint.toml` or
`.git`. Findings are reported in the paths given, but what the rest of the project says is known: who calls a function,
who joins a thread. Paths outside any project are judged on their own. Patterns are globs over a name or over a path
relative to the folder of the configuration file (on the command line: to the project root).

`shutdown-lint config` prints the settings that apply in the current folder. Editors complete and check the file with the
[JSON schema](shutdown-lint.schema.json) (`shutdown-lint config --schema`); with Even Better TOML or taplo, put
`#:schema PATH` into the first line of `shutdown-lint.toml`.

## The cache

What was found is remembered in `.shutdown_lint_cache` at the project root (outside of projects in the user's cache
folder): of each file its size, time and a digest, of each set of packages that import each other the findings. The
folder ignores itself in git, holds data only (JSON), and may be removed at any time (`shutdown-lint clean`). Another version
of shutdown-lint or of Python, other settings or models, and a file that is damaged lead to a run as without a cache.
When a package changes it is judged anew, but only its changed files are parsed: what the others say is remembered too,
in one small file for each content, and in one for all those in which no rule has anything to say.

## Keys

| key | flag | type | default | meaning |
|---|---|---|---|---|
{keys}
## Flags without a key

| flag | value | default | meaning |
|---|---|---|---|
{flags}"""


def render_docs() -> str:
    """The text of ``docs/configuration.md``."""
    keys = (
        f"| `{o.key}` | {_code(o.flag)} | {type_text(o)} | {_value(o.default)} | {_cell(o.help)} |\n"
        for o in OPTIONS
        if o.key
    )
    flags = (
        f"| `{o.flag}` | {_cell(' or '.join(o.words) or o.metavar)} | {o.default} | {_cell(o.help)} |\n"
        for o in OPTIONS
        if not o.key
    )
    return _DOCS.format(keys="".join(keys), flags="".join(flags))


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _value(text: str) -> str:
    return f"`{text}`" if text[:1] in '["{' or text in ("true", "false") else text


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
