"""Let coverage guide chance: atheris (libFuzzer) on the decoder, the parsers of deployment files, suppressions and TOML.

    pip install --require-hashes -r requirements/fuzz.txt
    python benchmarks/guided.py SECONDS [FOLDER]   FOLDER keeps what was found from one run to the next

It stops at the first input that raises, takes 20 seconds or 2 GB, writes it to a file ``crash-…`` and exits with a code
other than 0. Seeds are the deployment files among the fixtures and the TOML of the docs.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

with atheris.instrument_imports(include=["shutdown_lint", "tomli"]):
    from shutdown_lint import bounds, config, scanner, suppress

    # these are loaded on first use, which would be too late to be instrumented
    from shutdown_lint.deployment import compose, dockerfile, kubernetes, procfile, script, supervisor, systemd, yaml  # noqa: F401  # noqa: F401
    from shutdown_lint.deployment.read import read
    from shutdown_lint.source import SourceFile, TroubleError, decode

import mutations  # noqa: E402

KINDS = ("dockerfile", "systemd", "script", "compose", "kubernetes", "supervisor", "procfile")
NAMES = ("Dockerfile", "app.service", "entrypoint.sh", "compose.yaml", "pod.yaml", "supervisord.conf", "Procfile")
FILE = SourceFile("a", "/a", "", False, False, True)


def one(data: bytes) -> None:
    """The first byte says what the rest is given to."""
    which, rest = (data[0] if data else 0) % (len(KINDS) + 2), data[1:]
    if which < len(KINDS):
        read(FILE, KINDS[which], rest)
        return
    try:
        text = decode(rest)
    except TroubleError:
        return
    if which == len(KINDS):
        suppress.apply([], text, "a.py", ("SHD101",))
        bounds.check(text)
        scanner.scan(text, bounds.LIMITS)
        return
    try:
        config.check(config.parse(text, "a.toml"), "a.toml")
    except config.ConfigError:
        return


def seeds() -> list[bytes]:
    """What to begin with, each behind the byte that says what it is."""
    found = mutations.deployment_seeds()
    begun = [bytes([number]) + data for number, name in enumerate(NAMES) for data in found[name]]
    begun += [bytes([len(KINDS)]) + data for data in mutations.fixable_seeds()]
    return begun + [bytes([len(KINDS) + 1]) + data for data in mutations.configuration_seeds()]


def main(given: list[str]) -> None:
    """See the module's docstring."""
    folder = Path(given[1] if len(given) > 1 else tempfile.mkdtemp(prefix="guided-"))
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds()):
        (folder / f"seed-{number}").write_bytes(data)
    flags = [f"-max_total_time={given[0]}", "-timeout=20", "-rss_limit_mb=2000", "-max_len=4096"]
    atheris.Setup([sys.argv[0], *flags, str(folder)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
