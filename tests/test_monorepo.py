"""Several projects in one run: each finds its own modules, and what is found in it is what is found in it alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import made_up
import pytest
from made_up import HAZARD

from shutdown_lint import corpus, engine, parts
from shutdown_lint.facts_files import compiled, read_all
from shutdown_lint.linking import link
from shutdown_lint.settings import Settings


@pytest.fixture(autouse=True)
def made_up_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    made_up.install(monkeypatch)


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def callers(root: Path, *paths: str, settings: Settings | None = None) -> dict[str, str]:
    """What is found below the root: file → how many callers its hazard has (see ``made_up``)."""
    options = (settings or Settings(jobs=1))._replace(root=str(root))
    report = engine.check([str(root / path) for path in paths or ("",)], options)
    return {(Path.cwd() / f.path).relative_to(root).as_posix(): f.message for f in report.findings}


def service(name: str, calls: int) -> dict[str, str]:
    """A service of modules whose names other services have too, one of which calls what another defines."""
    main = (
        "import config\nfrom utils import stop\n\n\ndef main():\n    config.limit\n"
        + "    stop()\n" * calls
        + "\n\nmain()\n"
    )
    return {
        f"{name}/pyproject.toml": f"[project]\nname = '{Path(name).name}'\n",
        f"{name}/main.py": main,
        f"{name}/config.py": "limit = 3\n",
        f"{name}/utils.py": HAZARD,
    }


def test_modules_of_the_same_names(tmp_path: Path) -> None:
    write(tmp_path, {**service("services/a", 1), **service("services/b", 2), **service("services/c", 0)})
    assert callers(tmp_path) == {
        "services/a/utils.py": "1 callers",
        "services/b/utils.py": "2 callers",
        "services/c/utils.py": "0 callers",
    }


@pytest.mark.parametrize("mark", ["pyproject.toml", "requirements.txt"])
def test_services_that_only_lie_in_folders(tmp_path: Path, mark: str) -> None:
    """No service says that it is a project: the folder of a script is the first on its path."""
    files = {**service("services/a", 1), **service("services/b", 2), mark: ""}
    write(tmp_path, {name: text for name, text in files.items() if not name.endswith("pyproject.toml") or name == mark})
    assert callers(tmp_path) == {"services/a/utils.py": "1 callers", "services/b/utils.py": "2 callers"}


def test_several_roots_on_one_command_line(tmp_path: Path) -> None:
    write(tmp_path, {**service("billing", 3), **service("mail/worker", 1), **service("other", 5)})
    assert callers(tmp_path, "billing", "mail/worker") == {
        "billing/utils.py": "3 callers",
        "mail/worker/utils.py": "1 callers",
    }


LIBRARY = {
    "libs/common/pyproject.toml": "[project]\nname = 'common'\n",
    "libs/common/src/common/__init__.py": "",
    "libs/common/src/common/stopping.py": HAZARD,
    "libs/common/src/common/utils.py": "size = 1\n",
}


def test_a_library_that_the_services_share(tmp_path: Path) -> None:
    """It connects them, and they still do not see each other's modules."""
    files = {**LIBRARY, **service("services/a", 1), **service("services/b", 2), "pyproject.toml": ""}
    for name in ("a", "b"):
        files[f"services/{name}/main.py"] += "import common.stopping\ncommon.stopping.stop()\n"
    write(tmp_path, files)
    assert callers(tmp_path) == {
        "libs/common/src/common/stopping.py": "2 callers",
        "services/a/utils.py": "1 callers",
        "services/b/utils.py": "2 callers",
    }


def test_a_name_that_several_others_have_is_nobodys(tmp_path: Path) -> None:
    files = {**LIBRARY, **{f"old/{name}": text for name, text in LIBRARY.items()}, **service("services/a", 1)}
    files["services/a/main.py"] += "from common.stopping import stop as halt\nhalt()\n"
    write(tmp_path, {**files, "pyproject.toml": ""})
    found = callers(tmp_path)
    assert found["libs/common/src/common/stopping.py"] == "0 callers"
    assert found["old/libs/common/src/common/stopping.py"] == "0 callers"


def test_a_module_that_an_import_cannot_reach(tmp_path: Path) -> None:
    """What `a` imports as `utils` is installed, and not the `utils` of `b`, with which it shares a library."""
    files = {**LIBRARY, **service("services/a", 1), **service("services/b", 0), "pyproject.toml": ""}
    for name in ("a", "b"):
        files[f"services/{name}/main.py"] += "import common\n"
    del files["services/a/utils.py"]
    write(tmp_path, files)
    assert callers(tmp_path)["services/b/utils.py"] == "0 callers"


def test_a_folder_of_scripts(tmp_path: Path) -> None:
    """Each is a program, with helpers beside it; another folder has helpers of the same name."""
    files = {
        "pyproject.toml": "",
        "scripts/load.py": "import helpers\nhelpers.stop()\n",
        "scripts/dump.py": "from helpers import stop\nstop()\n",
        "scripts/helpers.py": HAZARD,
        "tools/tidy.py": "import helpers as h\nh.stop()\n",
        "tools/helpers.py": HAZARD,
    }
    write(tmp_path, files)
    assert callers(tmp_path) == {"scripts/helpers.py": "2 callers", "tools/helpers.py": "1 callers"}


def test_src_layouts_with_tests_beside_them(tmp_path: Path) -> None:
    files = {}
    for name in ("a", "b"):
        files |= {
            f"{name}/pyproject.toml": "",
            f"{name}/src/app/__init__.py": "",
            f"{name}/src/app/run.py": HAZARD,
            f"{name}/src/app/__main__.py": "import app.run\napp.run.stop()\n",
            f"{name}/tests/support.py": "from app.run import stop\n\n\ndef halt():\n    stop()\n",
        }
    files["b/tests/test_run.py"] = "from support import halt\nfrom app import run\n\n\ndef test():\n    run.stop()\n"
    write(tmp_path, files)
    assert callers(tmp_path) == {"a/src/app/run.py": "2 callers", "b/src/app/run.py": "3 callers"}


def test_packages_in_a_namespace_that_projects_share(tmp_path: Path) -> None:
    files = {
        "core/pyproject.toml": "",
        "core/src/acme/core/__init__.py": "",
        "core/src/acme/core/run.py": HAZARD,
        "web/pyproject.toml": "",
        "web/src/acme/web/__init__.py": "",
        "web/src/acme/web/serve.py": "from acme.core.run import stop\nstop()\n",
        "job/pyproject.toml": "",
        "job/main.py": "import acme.core.run\nacme.core.run.stop()\n",
        "pyproject.toml": "",
    }
    write(tmp_path, files)
    assert callers(tmp_path) == {"core/src/acme/core/run.py": "2 callers"}


def test_one_package_vendored_twice(tmp_path: Path) -> None:
    files = {}
    for name, calls in (("a", 1), ("b", 2)):
        files |= {
            f"{name}/pyproject.toml": "",
            f"{name}/{name}.py": "from _vendor.wire import link\n" + "link.stop()\n" * calls,
            f"{name}/_vendor/wire/__init__.py": "from wire.link import stop\n",
            f"{name}/_vendor/wire/link.py": HAZARD,
            f"{name}/_vendor/wire/more.py": "import wire.link\nwire.link.stop()\n",
        }
    write(tmp_path, files)
    found = callers(tmp_path)
    assert found == {f"{name}/_vendor/wire/link.py": f"{calls} callers" for name, calls in (("a", 2), ("b", 3))}


def test_programs_that_are_started_from_the_root(tmp_path: Path) -> None:
    """`python -m services.b.app`: the folders around packages are namespaces, seen from there."""
    files = {"pyproject.toml": "", "run.py": "import services.a.app.run\nservices.a.app.run.stop()\n"}
    for name, statement in (("a", "from services.a import app"), ("b", "import services.b.app.run as r")):
        files[f"services/{name}/app/__init__.py"] = "from . import run\n"
        files[f"services/{name}/app/run.py"] = HAZARD
        files[f"services/{name}/app/__main__.py"] = f"{statement}\n" + ("app.run" if name == "a" else "r") + ".stop()\n"
    write(tmp_path, files)
    assert callers(tmp_path) == {"services/a/app/run.py": "2 callers", "services/b/app/run.py": "1 callers"}


def test_a_project_inside_a_project(tmp_path: Path) -> None:
    """The inner one has a `utils` of its own, and imports the package around it."""
    files = {
        "pyproject.toml": "",
        "app/__init__.py": "",
        "app/run.py": HAZARD,
        "utils.py": HAZARD,
        "main.py": "import app.run, utils\napp.run.stop()\nutils.stop()\n",
        "examples/plugin/setup.py": "",
        "examples/plugin/utils.py": HAZARD,
        "examples/plugin/plugin.py": "import app.run, utils\napp.run.stop()\nutils.stop()\nutils.stop()\n",
    }
    write(tmp_path, files)
    assert callers(tmp_path) == {
        "app/run.py": "2 callers",
        "utils.py": "1 callers",
        "examples/plugin/utils.py": "2 callers",
    }


# --- bounds ----------------------------------------------------------------------------------------------------------


def test_the_bounds_of_a_project_are_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A word that is everywhere in the repository is rare in each project; whether they are connected or not."""
    monkeypatch.setattr(corpus, "MAX_PER_WORD", 2)
    names = [f"services/s{number}" for number in range(5)]
    files = {"pyproject.toml": "", **LIBRARY}
    for name in names:
        files |= service(name, 1)
    write(tmp_path, files)
    one_each = {f"{name}/utils.py": "1 callers" for name in names}
    assert callers(tmp_path).items() >= one_each.items()
    for name in names:
        (tmp_path / name / "config.py").write_text("import common.stopping\n")
    assert callers(tmp_path).items() >= one_each.items()


# --- every way to the same answer ------------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files = {**LIBRARY, **service("services/a", 1), **service("services/b", 2), **service("jobs/c", 3)}
    for name in ("a", "b"):
        files[f"services/{name}/main.py"] += "import common.stopping\ncommon.stopping.stop()\n"
    root = tmp_path / "repository"
    write(root, {**files, "pyproject.toml": ""})
    monkeypatch.chdir(root)
    monkeypatch.setattr(parts, "MIN_BYTES", 100)
    return root


EXPECTED = {
    "jobs/c/utils.py": "3 callers",
    "libs/common/src/common/stopping.py": "2 callers",
    "services/a/utils.py": "1 callers",
    "services/b/utils.py": "2 callers",
}


@pytest.mark.parametrize("jobs", [1, 2])
def test_jobs_and_cache_change_nothing(repository: Path, tmp_path: Path, jobs: int) -> None:
    settings = Settings(jobs=jobs, cache=str(tmp_path / "cache"))
    assert callers(repository, settings=settings) == EXPECTED
    assert callers(repository, settings=settings) == EXPECTED
    (repository / "services/b/main.py").write_text("import common.stopping\ncommon.stopping.stop()\n")
    changed = {**EXPECTED, "services/b/utils.py": "0 callers"}
    assert callers(repository, settings=settings) == changed


def test_a_project_may_come_between_two_runs(repository: Path, tmp_path: Path) -> None:
    settings = Settings(jobs=1, cache=str(tmp_path / "cache"))
    shutil.move(repository / "services/b", tmp_path / "b")
    assert callers(repository, settings=settings)["services/a/utils.py"] == "1 callers"
    shutil.move(tmp_path / "b", repository / "services/b")
    assert callers(repository, settings=settings) == EXPECTED


def test_files_of_facts(repository: Path, tmp_path: Path) -> None:
    for path in sorted(repository.rglob("*.py")):
        place = tmp_path / "facts" / f"{path.relative_to(repository).as_posix()}.facts"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(compiled(path.relative_to(repository).as_posix(), path.read_bytes()))
    report = link(read_all([str(tmp_path / "facts")]), ["."], Settings(root=str(repository), jobs=1))
    assert {f.path: f.message for f in report.findings} == EXPECTED
