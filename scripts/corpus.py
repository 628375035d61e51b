"""Lint pinned releases of well-known servers, workers and clients, and compare what is found with the last time.

    python scripts/corpus.py                 compare with tests/corpus_snapshot.json; exit 1 where it differs
    python scripts/corpus.py --update        write the snapshot
    python scripts/corpus.py --work FOLDER   keep the packages there (default: the user's cache folder)
    python scripts/corpus.py celery rq       these packages only
    python scripts/corpus.py --download      fetch and unpack, lint nothing

A crash, a timeout or an internal error (SHD904) of the linter fails the run whatever the snapshot says. The packages
are downloaded as wheels by pip, unpacked, and never installed or imported.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).resolve().parent.parent
SNAPSHOT = ROOT / "tests" / "corpus_snapshot.json"
LIMIT = 600  # seconds for one package: a hang, not a slow machine

PACKAGES = {
    "apscheduler": "3.11.3",
    "arq": "0.28.0",
    "celery": "5.7.0",
    "circus": "0.19.0",
    "distributed": "2026.8.0",
    "dramatiq": "2.2.1",
    "gunicorn": "27.0.1",
    "honcho": "2.0.0",
    "huey": "3.5.4",
    "hypercorn": "0.18.0",
    "jupyter-client": "8.10.0",
    "kombu": "5.7.0",
    "locust": "2.47.0",
    "luigi": "3.8.1",
    "rq": "3.0.0",
    "scrapy": "2.19.0",
    "supervisor": "4.3.0",
    "taskiq": "0.13.0",
    "uvicorn": "0.54.0",
    "watchdog": "7.1.0",
}

# package → code and tier → number of findings
Counts: TypeAlias = "dict[str, dict[str, int]]"


def default_work() -> Path:
    """Where the packages are kept between runs."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("SHUTDOWN_LINT_CORPUS") or Path(cache) / "shutdown-lint" / "corpus")


def fetch(name: str, version: str, work: Path, *flags: str) -> Path:
    """The folder with the unpacked package; downloads it (``flags`` go to pip) where it is not there yet."""
    folder = work / f"{name}-{version}"
    if folder.is_dir():
        return folder
    wheels = work / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", *flags]
    wheel = _wheel(wheels, name, version)
    if wheel is None:
        subprocess.run([*command, "--only-binary", ":all:", "-d", str(wheels), f"{name}=={version}"], check=True)
        wheel = _wheel(wheels, name, version)
    assert wheel is not None, f"no wheel of {name} was downloaded"
    # written beside and renamed: an interrupted run leaves no half package that looks whole
    unpacked = work / f".{folder.name}.part"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    unpacked.rename(folder)
    return folder


def _wheel(wheels: Path, name: str, version: str) -> Path | None:
    normal = re.sub(r"[-_.]+", "_", name).lower()
    found = (path for path in wheels.glob("*.whl") if path.name.lower().startswith(f"{normal}-{version}-"))
    return next(found, None)


def lint(folder: Path) -> tuple[dict[str, int], list[str]]:
    """The number of findings of each rule and tier in a package, and what went wrong."""
    flags = ["--isolated", "--select", "ALL", "--output-format", "json"]
    command = [sys.executable, "-m", "shutdown_lint", "check", *flags, str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return {}, [f"no end after {LIMIT} seconds"]
    if done.returncode not in (0, 1, 2) or not done.stdout:
        return {}, [f"exit code {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}"]
    findings = json.loads(done.stdout)
    errors = [f"{f['filename']}: {f['message']}" for f in findings if f["code"] == "SHD904"]
    errors += [done.stderr.decode(errors="replace")] if b"Traceback" in done.stderr else []
    return dict(sorted(Counter(f"{f['code']} {f['tier']}" for f in findings).items())), errors


def compare(old: Counts, new: Counts) -> list[str]:
    """A line for each number that differs, for the packages of ``new``."""
    lines = []
    for package, counts in new.items():
        before = old.get(package, {})
        for code in sorted({*before, *counts}):
            was, now = before.get(code, 0), counts.get(code, 0)
            if was != now:
                lines.append(f"{package:<22} {code}  {was:>4} → {now:<4} ({now - was:+})")
    return lines


def run(names: Iterable[str], work: Path) -> tuple[Counts, list[str]]:
    """Lint the packages; counts, and errors that name their package."""
    counts: Counts = {}
    errors: list[str] = []
    for name in names:
        counts[f"{name} {PACKAGES[name]}"], wrong = lint(fetch(name, PACKAGES[name], work))
        errors += [f"{name}: {text}" for text in wrong]
        print(f"{name:<16} {sum(counts[f'{name} {PACKAGES[name]}'].values()):>5} findings", flush=True)
    return counts, errors


def load() -> Counts:
    """The snapshot; empty where there is none."""
    return json.loads(SNAPSHOT.read_text(encoding="utf-8")) if SNAPSHOT.exists() else {}


def save(counts: Counts) -> None:
    """Write the snapshot, sorted, packages that were not run kept."""
    known = {f"{name} {version}" for name, version in PACKAGES.items()}
    kept = {package: value for package, value in {**load(), **counts}.items() if package in known}
    SNAPSHOT.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n", encoding="utf-8")


def main(given: Sequence[str]) -> int:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help="(default: all)")
    parser.add_argument("--work", type=Path, default=default_work())
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--download", action="store_true")
    options = parser.parse_args(given)
    names = options.packages or sorted(PACKAGES)
    if unknown := [name for name in names if name not in PACKAGES]:
        parser.error(f"not in the corpus: {', '.join(unknown)}")
    if options.download:
        print("\n".join(str(fetch(name, PACKAGES[name], options.work)) for name in names))
        return 0
    counts, errors = run(names, options.work)
    changes = compare(load(), counts)
    print("\n".join(["", *changes, f"{len(changes)} numbers differ from the snapshot"]))
    if options.update and not errors:
        save(counts)
    for error in errors:
        print(f"error: {error}", file=sys.stderr)
    return 1 if errors or (changes and not options.update) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
