"""``shutdown-lint --help`` and ``shutdown-lint --version``."""

from __future__ import annotations

from shutdown_lint import __version__
from shutdown_lint.cli.output import to_stdout

HELP = """\
usage: shutdown-lint [check] [OPTIONS] [PATH ...]
       shutdown-lint rules [--output-format text|json]
       shutdown-lint rule CODE|NAME
       shutdown-lint models [check FILE ...]
       shutdown-lint map [--entry MODULE:FUNCTION] [PATH ...]
       shutdown-lint facts FILE ... --out DIR
       shutdown-lint clean [--cache-dir DIR]
       shutdown-lint init [--baseline] [--dry-run] [FOLDER]
       shutdown-lint baseline create|update|show [OPTIONS] [PATH ...]
       shutdown-lint config [KEY | --schema]
       shutdown-lint server
       shutdown-lint completion bash|zsh|fish

Finds what a Python program loses, leaves behind or hangs on when it is asked to stop.

commands:
  check       check files and folders (the default command; `check --help` lists its options)
  rules       list all rules
  rule        explain a rule: what it does, why it matters, what to write instead
  models      list what is known about libraries; check files of your own models
  map         show what happens between SIGTERM and the last line, on an axis of time
  facts       write what is to be known of each file, for `check --facts` (builds in two steps)
  init        write a configuration and a pre-commit hook
  baseline    remember the findings that there are, so that only new ones are reported
  config      print the settings that apply here, or the JSON schema of the configuration
  server      speak the Language Server Protocol, for editors
  completion  print a script that lets a shell complete this command
  clean       remove the cache

options:
  -h, --help     print this help
  -V, --version  print the version

exit codes:
  0  no findings
  1  findings (as severe as --fail-on says)
  2  wrong usage or configuration, or input that could not be analysed (SHD900 to SHD904)
"""


def run(given: list[str]) -> int:
    """Print the help or the version."""
    to_stdout(f"shutdown-lint {__version__}\n" if given[0] in ("-V", "--version") else HELP)
    return 0
