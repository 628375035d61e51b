"""``shutdown-lint completion SHELL``: a script that completes commands, flags, choices and rules, from the table of options."""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.cli import FAILED
from shutdown_lint.cli.output import complain, to_stdout
from shutdown_lint.options import OPTIONS, Option

USAGE = """\
usage: shutdown-lint completion bash|zsh|fish

Print a script that lets the shell complete shutdown-lint. To use it:

  bash  shutdown-lint completion bash > ~/.local/share/bash-completion/completions/shutdown-lint
  zsh   shutdown-lint completion zsh > "${fpath[1]}/_shutdown-lint"
  fish  shutdown-lint completion fish > ~/.config/fish/completions/shutdown-lint.fish
"""
COMMANDS = {
    "check": "check files and folders",
    "rules": "list all rules",
    "rule": "explain a rule",
    "models": "list what is known about libraries",
    "map": "show what happens between SIGTERM and the last line",
    "facts": "write what is to be known of files, for builds in two steps",
    "init": "write a configuration and a pre-commit hook",
    "baseline": "remember the findings that there are",
    "clean": "remove the cache",
    "config": "print the settings that apply here",
    "server": "speak the Language Server Protocol",
    "completion": "print a completion script",
}
_WORDS = {"baseline": ("create", "update", "show"), "completion": ("bash", "zsh", "fish"), "models": ("check",)}


def run(given: list[str]) -> int:
    """See ``USAGE``."""
    scripts = {"bash": _bash, "zsh": _zsh, "fish": _fish}
    if given[1:] in (["-h"], ["--help"]):
        to_stdout(USAGE)
        return 0
    if len(given) != 2 or given[1] not in scripts:
        complain(USAGE.partition("\n")[0])
        return FAILED
    to_stdout(scripts[given[1]]())
    return 0


def _flags() -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Flag, help, kind of its value (``""``, ``file``, ``rules``, ``words``, ``other``), its words."""
    for option in OPTIONS:
        if option.flag:
            yield option.flag, option.help, _value(option), option.words
    yield "--verbose", "tell on stderr what is configured and read", "", ()
    yield "--quiet", "print nothing but findings", "", ()
    yield "--help", "print help", "", ()


def _value(option: Option) -> str:
    if option.kind == "switch":
        return ""
    if option.words:
        return "words"
    if option.kind == "selectors":
        return "rules"
    return "file" if option.metavar in ("FILE", "FILE|KEY=VALUE", "DIR", "PATTERNS") else "other"


def _rules() -> tuple[str, ...]:
    from shutdown_lint.rules.registry import entries

    return ("ALL", *(entry.code for entry in entries()), *(entry.name for entry in entries()))


# --- bash ------------------------------------------------------------------------------------------------------------

_BASH = """\
# bash completion of shutdown-lint
_shutdown_lint() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} command=${{COMP_WORDS[1]}}
    local rules="{rules}"
    COMPREPLY=()
    case $previous in
{values}
    esac
    case $command in
        rule) COMPREPLY=($(compgen -W "$rules" -- "$current")); return ;;
{words}
    esac
    if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "{flags}" -- "$current"))
    elif [[ $COMP_CWORD -eq 1 ]]; then
        COMPREPLY=($(compgen -W "{commands}" -- "$current") $(compgen -f -- "$current"))
    else
        COMPREPLY=($(compgen -f -- "$current"))
    fi
}}
complete -o filenames -F _shutdown_lint shutdown-lint
"""


def _bash() -> str:
    lines = []
    for flag, _, kind, words in _flags():
        if kind == "words":
            lines.append(f'{flag}) COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$current")); return ;;')
        elif kind == "rules":  # a list: what stands before the last comma stays
            lines.append(
                f'{flag}) local before=""; [[ $current == *,* ]] && before=${{current%,*}},; '
                'COMPREPLY=($(compgen -P "$before" -W "$rules" -- "${current##*,}")); return ;;'
            )
        elif kind:
            lines.append(f'{flag}) COMPREPLY=($(compgen -f -- "$current")); return ;;')
    commands = [
        f'{name}) [[ $COMP_CWORD -eq 2 ]] && {{ COMPREPLY=($(compgen -W "{" ".join(texts)}" -- "$current")); return; }} ;;'
        for name, texts in _WORDS.items()
    ]
    return _BASH.format(
        rules=" ".join(_rules()),
        values="\n".join(f"        {line}" for line in lines),
        words="\n".join(f"        {line}" for line in commands),
        flags=" ".join(flag for flag, *_ in _flags()),
        commands=" ".join(COMMANDS),
    )


# --- zsh -------------------------------------------------------------------------------------------------------------

_ZSH = """\
#compdef shutdown-lint
# zsh completion of shutdown-lint
_shutdown_lint() {{
    local -a rules commands flags
    rules=({rules})
    commands=(
{commands}
    )
    flags=(
{flags}
    )
    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
        _describe command commands
        _files
        return
    fi
    case $words[2] in
        rule) compadd -a rules; return ;;
{words}
    esac
    _arguments -s $flags '*:path:_files'
}}
if [[ $funcstack[1] == _shutdown-lint ]]; then
    _shutdown_lint "$@"
else
    compdef _shutdown_lint shutdown-lint
fi
"""


def _zsh() -> str:
    flags = [f"'*{flag}{_zsh_value(flag, text, kind, words)}'" for flag, text, kind, words in _flags()]
    commands = [
        f"{name}) (( CURRENT == 3 )) && {{ compadd {' '.join(texts)}; return }} ;;" for name, texts in _WORDS.items()
    ]
    return _ZSH.format(
        rules=" ".join(_rules()),
        commands="\n".join(f"        '{name}:{text}'" for name, text in COMMANDS.items()),
        flags="\n".join(f"        {flag}" for flag in flags),
        words="\n".join(f"        {line}" for line in commands),
    )


def _zsh_value(flag: str, text: str, kind: str, words: tuple[str, ...]) -> str:
    shown = text.replace("'", "'\\''").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")
    actions = {
        "file": ":file:_files",
        "rules": ":rules:_sequence compadd - $rules",
        "words": f":{flag.lstrip('-')}:({' '.join(words)})",
        "other": ":value: ",
    }
    # `=` lets the value stand in the same word too
    return f"{'=' if kind else ''}[{shown}]{actions.get(kind, '')}"


# --- fish ------------------------------------------------------------------------------------------------------------


def _fish() -> str:
    first, name = "__fish_use_subcommand", "complete -c shutdown-lint"
    lines = ["# fish completion of shutdown-lint", f"set -l rules {' '.join(_rules())}"]
    lines += [f"{name} -n {first} -a {command} -d {_quoted(text)}" for command, text in COMMANDS.items()]
    lines += [
        f"{name} -f -n '__fish_seen_subcommand_from {command}' -a {_quoted(' '.join(words))}"
        for command, words in {**_WORDS, "rule": ("$rules",)}.items()
    ]
    for flag, text, kind, words in _flags():
        value = {
            "words": f" -x -a {_quoted(' '.join(words))}",
            "rules": ' -x -a "$rules"',
            "file": " -r -F",
            "other": " -x",
        }
        lines.append(f"{name} -l {flag.lstrip('-')} -d {_quoted(text)}{value.get(kind, '')}")
    return "\n".join(lines).replace("'$rules'", '"$rules"') + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
