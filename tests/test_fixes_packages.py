"""What every fix promises, on packages made of programs that belong to many rules (the full check: scripts/fix_corpus.py)."""

from __future__ import annotations

import importlib.util
import random
import shutil
from pathlib import Path
from types import ModuleType

import proofs
import pytest

from shutdown_lint.fixes.planning import KINDS

ROOT = Path(__file__).parent.parent
FILES = sorted(
    [
        *(path for kind in KINDS for path in (ROOT / "tests" / "fixtures" / kind.upper()).glob("*.py")),
        *(proof.path for proof in proofs.proofs()),
        *(counter.path for counter in proofs.counters()),
    ]
)


@pytest.fixture(scope="module")
def fix_corpus() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fix_corpus", ROOT / "scripts" / "fix_corpus.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("seed", range(2))
def test_a_package_of_many_hazards(fix_corpus: ModuleType, tmp_path: Path, seed: int) -> None:
    """Compiles, keeps its comments, has nothing left to fix, and is the same in another order and with two processes."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "pyproject.toml").touch()
    chance = random.Random(seed)
    for path in chance.sample(FILES, 80):
        folder = package / chance.choice(["app", "lib"])
        folder.mkdir(exist_ok=True)
        shutil.copy(path, folder / f"{path.parent.name.lower()}_{path.name}")
    found = fix_corpus.check_package(package)
    assert found.broken == ()
    assert sum(found.fixed.values()) > 5
