"""The declared budget: its checks, and what the rules and the map make of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command import run

APP = """\
import asyncio
import signal


class HttpServer:
    def __init__(self):
        self.idle = asyncio.Event()

    async def stop(self):
        await asyncio.wait_for(self.idle.wait(), {http})


class RedisPool:
    def __init__(self):
        self.free = asyncio.Event()

    async def close(self):
        await self.free.wait()


class Database:
    def __init__(self):
        self.done = asyncio.Event()

    async def close(self):
        await asyncio.wait_for(self.done.wait(), 3)


class Service:
    def __init__(self):
        self.server = HttpServer()
        self.pool = RedisPool()
        self.database = Database()

    async def stop(self):
{stop}

    async def serve(self):
        stopping = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
        await stopping.wait()
        await self.stop()


if __name__ == "__main__":
    asyncio.run(Service().serve())
"""
BUDGET = """\
[tool.shutdown-lint.budget]
grace = {grace}
components = [
  {{ name = "app.HttpServer", priority = 1, limit = 10 }},
  {{ name = "app.RedisPool", priority = 2, limit = 5 }},
  {{ name = "app.Database", priority = 3, limit = 3 }},
]
"""
IN_ORDER = ("self.server.stop()", "self.pool.close()", "self.database.close()")


def project(folder: Path, monkeypatch: pytest.MonkeyPatch, *stops: str, http: float = 10, grace: float = 20) -> None:
    """The service with its stops in this order, in the current folder."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SHUTDOWN_LINT_CACHE_DIR", f"{folder}-cache")
    body = "\n".join(f"        await {stop}" for stop in stops or IN_ORDER)
    (folder / "app.py").write_text(APP.replace("{http}", str(http)).replace("{stop}", body))
    (folder / "pyproject.toml").write_text(BUDGET.format(grace=grace))


def findings(*codes: str) -> list[tuple[str, int, str]]:
    done = run("--select", ",".join(codes), "--output-format", "json")
    assert not done.stderr, done.stderr
    return [(found["code"], found["location"]["row"], found["message"]) for found in json.loads(done.stdout)]


def way(*arguments: str) -> Any:
    (program,) = json.loads(run("map", "--output-format", "json", *arguments).stdout)["programs"]
    return next(way for way in program["ways"] if way["trigger"] == "SIGTERM")


def test_what_fits_is_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, monkeypatch)
    assert findings("SHD409", "SHD411") == []


def test_the_declared_limit_stands_for_a_wait_without_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, monkeypatch)
    assert (way()["seconds"], way()["endless"]) == (18, 0)
    (tmp_path / "pyproject.toml").write_text("")
    assert (way()["seconds"], way()["endless"]) == (13, 1)


def test_the_sum_against_the_declared_grace_period(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, monkeypatch, grace=12)
    assert [
        (code, "18 s (10 s + 5 s + 3 s)" in said, "after 12 s" in said) for code, _, said in findings("SHD411")
    ] == [("SHD411", True, True)]


def test_what_runs_together_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stops = ("self.server.stop()", "asyncio.gather(self.pool.close(), self.database.close())")
    project(tmp_path, monkeypatch, *stops, grace=12)
    assert way()["seconds"] == 15
    project(tmp_path, monkeypatch, *stops, grace=15)
    assert findings("SHD409", "SHD411") == []


def test_a_component_above_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, monkeypatch, http=15, grace=60)
    assert findings("SHD411") == [
        ("SHD411", 36, "`self.server.stop()` may last 15 s (15 s), and the budget gives `app.HttpServer` 10 s")
    ]


def test_components_out_of_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, monkeypatch, "self.database.close()", "self.server.stop()", "self.pool.close()", grace=60)
    ((code, line, said),) = findings("SHD409")
    assert (code, line) == ("SHD409", 36)
    assert "the budget ends `app.HttpServer` (priority 1) before `app.Database` (priority 3)" in said


def test_components_of_one_priority_have_no_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, monkeypatch, *reversed(IN_ORDER), grace=60)
    text = (tmp_path / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(
        text.replace("priority = 2", "priority = 1").replace("priority = 3", "priority = 1")
    )
    assert findings("SHD409") == []


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("grace = 0", "`budget.grace` must be a positive number of seconds"),
        ('grace = "30"', "`budget.grace` must be a positive number of seconds"),
        ("grase = 3", "unknown key `budget.grase`; did you mean `grace`?"),
        ("components = [1]", "`budget.components` must be an array of tables"),
        ("components = [{ limit = 3 }]", "`budget.components[0]` needs a `name`"),
        ('components = [{ name = "a", limit = -1 }]', "`budget.components[0].limit` must be a positive number"),
        ('components = [{ name = "a", priority = "first" }]', "`budget.components[0].priority` must be an integer"),
        ('components = [{ name = "a", order = 1 }]', "unknown key `budget.components[0].order`"),
    ],
)
def test_mistakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, said: str) -> None:
    project(tmp_path, monkeypatch)
    (tmp_path / "pyproject.toml").write_text(f"[tool.shutdown-lint.budget]\n{table}\n")
    done = run()
    assert done.returncode == 2
    assert said in done.stderr.decode()


def test_the_configuration_tells_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, monkeypatch)
    lines = run("config").stdout.decode().splitlines()
    assert "# budget: app.HttpServer, priority 1, limit 10 s" in lines
    assert "# budget: grace 20 s" in lines
