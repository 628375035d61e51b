"""The map: its order and its sum are those of the program when it is really stopped; every format says the same."""

from __future__ import annotations

import html
import html.parser
import json
import re
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from command import LIMIT, run

SERVICES = Path(__file__).parent / "services"
SLACK = 2.0  # seconds that a machine may be slow
# Runs a program and prints, for each line of interest that the main thread executes, its number.
TRACER = """
import os, runpy, sys
main = os.getpid()
path, lines = sys.argv[1], {int(line) for line in sys.argv[2].split(",")}
sys.argv = [path, *sys.argv[3:]]
def trace(frame, event, arg):
    if frame.f_code.co_filename != path:
        return None
    if event == "line" and os.getpid() == main and frame.f_lineno in lines:
        print("line", frame.f_lineno, flush=True)
    return trace
sys.settrace(trace)
runpy.run_path(path, run_name="__main__")
"""


@pytest.fixture
def service(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of one of the services, outside of any folder of tests; the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)  # pytest sets it
    return Path(shutil.copy(SERVICES / f"{request.param}.py", tmp_path))


def mapped(*arguments: str) -> Any:
    done = run("map", "--no-cache", "--output-format", "json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def way_of(shown: Any, trigger: str) -> Any:
    (program,) = [program for program in shown["programs"] if program["kind"] == "program"]
    (way,) = [way for way in program["ways"] if way["trigger"] == trigger]
    return way


ALL = ["threaded", "served", "consumer", "supervising", "cancelled"]


@pytest.mark.parametrize("service", ALL, indirect=True)
def test_a_real_stop_takes_the_steps_in_this_order_and_no_longer(service: Path) -> None:
    shown = mapped("--entry", f"{service.stem}:__main__")
    way = way_of(shown, "SIGTERM")
    assert way["handled"] and way["complete"] and not way["endless"]
    # the round that is under way began before the signal, and may just have ended; of a loop, what it does is compared
    rows = _rows(stretch for stretch in way["stretches"] if not stretch["current"])
    expected = list(dict.fromkeys(row["line"] for row in rows))
    process = subprocess.Popen(
        [sys.executable, "-c", TRACER, str(service), ",".join(map(str, expected)), str(service.parent / "out.txt")],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        while "ready" not in process.stdout.readline():
            pass
        time.sleep(0.2)
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=LIMIT)
        took = time.monotonic() - begun
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    lines = [int(line.split()[1]) for line in told.splitlines() if line.startswith("line ")]
    executed = list(dict.fromkeys(lines[lines.index(expected[0]) :]))
    # where a call is under way, its line and its wait are not run again
    under_way = {row["line"] for row in rows[: len(rows) - len(_behind(way))]}
    assert executed == [line for line in expected if line in executed]
    assert {row["line"] for row in _behind(way)} <= set(executed)
    assert set(expected) - set(executed) <= under_way
    assert took < way["seconds"] + SLACK + CHILDREN.get(service.stem, 0)


# seconds that the service's child processes take, for which the supervisor waits without a limit of its own
CHILDREN = {"supervising": 1}


def _behind(way: Any) -> list[Any]:
    """The rows of the functions that go on when the place where the program stayed is left."""
    return _rows(
        stretch for stretch in way["stretches"] if stretch["why"].endswith("goes on") or " leaves " in stretch["why"]
    )


def _rows(stretches: Iterable[Any]) -> list[Any]:
    return [row for stretch in stretches for row in stretch["rows"] if row["kind"] != "loop"]


def write_app(root: Path, body: str, **more: str) -> None:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    (root / "app.py").write_text(
        f"import atexit, signal, sys, threading, time\n{more.get('top', '')}\n"
        f"def main():\n{lines}\n\nif __name__ == '__main__':\n    main()\n"
    )


LOOP = """\
stopping = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stopping.set())
a = threading.Thread(target=print)
b = threading.Thread(target=print)
a.start()
b.start()
while not stopping.wait(1):
    pass
"""


def test_what_comes_after_the_grace_period_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_app(tmp_path, "log = open('log', 'w')\n" + LOOP + "a.join(20)\nb.join(15)\nlog.close()\n")
    way = way_of(mapped(), "SIGTERM")
    assert way["seconds"] == 35
    last = way["stretches"][-1]["rows"]
    assert [(row["start"], row["seconds"], row["late"]) for row in last if row["kind"] == "wait"] == [
        (0, 20, ""),
        (20, 15, ""),
    ]
    assert [row["late"] for row in last if row["kind"] == "release"] == ["grace"]
    assert way_of(mapped("--grace", "60"), "SIGTERM")["stretches"][-1]["rows"][-1]["late"] == ""


def test_what_stands_behind_a_wait_without_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_app(tmp_path, LOOP + "a.join()\nb.join(5)\n")
    way = way_of(mapped(), "SIGTERM")
    assert (way["endless"], way["seconds"]) == (1, 5)
    waits = [row for row in way["stretches"][-1]["rows"] if row["kind"] == "wait"]
    assert [(row["endless"], row["late"]) for row in waits] == [(True, ""), (False, "endless")]


def test_a_program_that_handles_no_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    body = "log = open('log', 'w')\ntry:\n    while True:\n        time.sleep(1)\nfinally:\n    log.close()\n"
    write_app(tmp_path, body)
    shown = mapped()
    unhandled = way_of(shown, "SIGTERM")
    assert not unhandled["handled"] and "no cleanup runs" in unhandled["origin"]
    interrupted = way_of(shown, "SIGINT")
    assert [row["text"] for stretch in interrupted["stretches"] for row in stretch["rows"]] == ["log.close()"]


def test_only_one_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_app(tmp_path, LOOP)
    shutil.copy(tmp_path / "app.py", tmp_path / "other.py")
    assert [program["name"] for program in mapped()["programs"]] == ["app:__main__", "other:__main__"]
    assert [program["name"] for program in mapped("--entry", "other:__main__")["programs"]] == ["other:__main__"]
    done = run("map", "--entry", "third:main")
    assert done.returncode == 2
    assert b"third:main" in done.stderr


@pytest.mark.parametrize("arguments", [["--grace", "0"], ["--grace", "x"], ["--output-format", "png"], ["--wrong"]])
def test_wrong_usage(arguments: list[str]) -> None:
    done = run("map", *arguments)
    assert done.returncode == 2
    assert done.stderr and not done.stdout


def test_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text("x = 1\n")
    for name in ("text", "json", "mermaid", "svg", "html"):
        done = run("map", "--output-format", name)
        assert (done.returncode, done.stderr) == (0, b""), name


# --- programs of real shape ------------------------------------------------------------------------------------------


def steps_of(way: Any, why: str = "") -> list[tuple[str, str]]:
    return [
        (row["kind"], row["text"]) for stretch in way["stretches"] if why in stretch["why"] for row in stretch["rows"]
    ]


EXAMPLES = [("resizer", 13, 20), ("web", 25, 30), ("consumers", 15.5, 25)]


@pytest.mark.parametrize(("name", "seconds", "grace"), EXAMPLES)
def test_the_worked_examples_are_clean_and_fit(name: str, seconds: float, grace: float) -> None:
    folder = str(Path(__file__).parent.parent / "examples" / name)
    assert run("--no-cache", folder).returncode == 0
    way = way_of(mapped("--grace", str(grace), folder), "SIGTERM")
    assert (way["complete"], way["seconds"], way["endless"], way["open"]) == (True, seconds, 0, 0)
    assert not any(row["late"] for stretch in way["stretches"] for row in stretch["rows"])


WEB = """\
from contextlib import asynccontextmanager
import uvicorn
from starlette.applications import Starlette

@asynccontextmanager
async def lifespan(app):
    log = open("log", "w")
    yield
    log.close()

app = Starlette(lifespan=lifespan)

if __name__ == "__main__":
    try:
        uvicorn.run(app{more})
    finally:
        print("over")
        open("done", "w").close()
"""


@pytest.mark.parametrize(("more", "endless", "seconds"), [("", 1, 0), (", timeout_graceful_shutdown=7", 0, 7)])
def test_a_framework_handles_the_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str, endless: int, seconds: float
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "web.py").write_text(WEB.replace("{more}", more))
    way = way_of(mapped(), "SIGTERM")
    assert (way["complete"], way["endless"], way["seconds"]) == (True, endless, seconds)
    assert steps_of(way, "lifespan") == [("release", "log.close()")]
    assert steps_of(way, "goes on") == [("release", "open('done', …).close()")]


def test_what_a_child_process_does_is_a_program_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(SERVICES / "supervising.py", tmp_path)
    programs = {program["kind"]: program for program in mapped()["programs"]}
    assert programs["process"]["name"] == "supervising:child"
    ways = {way["trigger"]: way for way in programs["process"]["ways"]}
    assert [row["seconds"] for row in ways["SIGTERM"]["stretches"][1]["rows"]] == [0.05]
    assert not ways["SIGINT"]["handled"] and "it is ignored" in ways["SIGINT"]["origin"]


AGAIN = """\
import signal, sys, time

class Hurry(Exception):
    pass

class Worker:
    running = True

    def on_term(self, signum, frame):
        signal.signal(signal.SIGTERM, self.on_second)
        self.running = False

    def on_second(self, signum, frame):
        if self.running:
            return
        raise Hurry(signum)

    def run(self):
        signal.signal(signal.SIGTERM, self.on_term)
        log = open("log", "w")
        try:
            while self.running:
                time.sleep(1)
        finally:
            log.close()

if __name__ == "__main__":
    Worker().run()
"""


def test_the_second_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(AGAIN)
    shown = mapped()
    assert [way["trigger"] for way in shown["programs"][0]["ways"]] == ["SIGTERM", "SIGTERM again", "SIGINT"]
    assert steps_of(way_of(shown, "SIGTERM"), "goes on") == [("release", "log.close()")]
    assert steps_of(way_of(shown, "SIGTERM again"))[0] == ("raise", "Hurry(signum)")
    assert steps_of(way_of(shown, "SIGTERM again"), "leaves") == [("release", "log.close()")]


LEFT = """\
flusher = threading.Thread(target=print, daemon=True)
flusher.start()
reader = threading.Thread(target=print)
reader.start()
atexit.register(lambda: open("x").close())
"""


def test_what_nobody_waits_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_app(tmp_path, LEFT + LOOP + "a.join(1)\nb.join(1)\n")
    way = way_of(mapped(), "SIGTERM")
    whys = [stretch["why"] for stretch in way["stretches"]][-3:]
    assert whys == [
        "the interpreter waits for threads that are no daemons",
        "atexit runs `main.<locals>.<lambda>`",
        "the interpreter ends daemon threads where they are",
    ]
    assert [stretch["rows"][0]["line"] for stretch in way["stretches"][-3:]] == [6, 8, 4]


ITERATOR = """\
import os, signal, subprocess, sys, threading

class Watch:
    def __init__(self):
        self.leaving = threading.Event()
        self.child = subprocess.Popen(["true"])

    def __iter__(self):
        return self

    def __next__(self):
        return self.changed()

    def changed(self):
        if self.leaving.wait(0.5):
            raise StopIteration
        return os.path.exists("changed")

    def on_term(self, signum, frame):
        self.leaving.set()

    def run(self):
        signal.signal(signal.SIGTERM, self.on_term)
        for changed in self:
            if changed:
                self.again()
        self.close()

    def again(self):
        self.child.terminate()
        self.child.wait(9)

    def close(self):
        if sys.platform == "win32" or os.name == "nt":
            self.child.wait(90)
        else:
            self.child.terminate()
        self.child.wait(4)

if __name__ == "__main__":
    Watch().run()
"""

GENERATOR = """\
import signal, time

class Feed:
    def __init__(self):
        self.running = True
        self.log = open("log", "w")
        signal.signal(signal.SIGTERM, self.on_term)

    def on_term(self, signum, frame):
        self.running = False

    def lines(self):
        while self.running:
            time.sleep(0.5)
            yield "line"

    def run(self):
        for line in self.lines():
            self.log.write(line)
        self.log.close()

if __name__ == "__main__":
    Feed().run()
"""


def test_the_flag_is_read_by_the_iterator_of_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(ITERATOR)
    way = way_of(mapped(), "SIGTERM")
    assert (way["complete"], way["seconds"], way["endless"]) == (True, 13, 0)
    assert [stretch["current"] for stretch in way["stretches"]] == [False, True, False]
    assert steps_of(way, "goes on")[1:] == [("stop", "self.child.terminate()"), ("wait", "self.child.wait(4)")]


def test_the_flag_is_read_by_the_generator_of_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(GENERATOR)
    way = way_of(mapped(), "SIGTERM")
    assert (way["complete"], way["seconds"]) == (True, 0.5)
    assert [stretch["why"] for stretch in way["stretches"]][1:] == [
        "the loop in `Feed.lines` ends its round",
        "`Feed.run` goes on",
    ]
    assert steps_of(way, "goes on") == [("release", "self.log.close()")]


BROKER = """\
import signal, sys
from queue import Queue
import paho.mqtt.client as paho
import vendor.bus as vendor

jobs = Queue()
client = None
bus = None

def on_term(signum, frame):
    client.loop_stop()
    client.disconnect()
    bus.disconnect()
    jobs.join()
    sys.exit(0)

def main():
    global client, bus
    client = paho.Client("relay")
    bus = vendor.Bus()
    client.connect("broker")
    signal.signal(signal.SIGTERM, on_term)
    client.loop_forever()

if __name__ == "__main__":
    main()
"""


def test_objects_of_libraries_are_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``import paho.mqtt.client as paho`` binds the module, not the package of that name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(BROKER)
    assert steps_of(way_of(mapped(), "SIGTERM")) == [
        ("release", "client.loop_stop()"),
        ("release", "client.disconnect()"),
        ("release", "bus.disconnect()"),
        ("wait", "jobs.join()"),
        ("exit", "sys.exit(0)"),
    ]


SERVING = """\
import asyncio, signal, subprocess
from multiprocessing.context import SpawnProcess

def work():
    print("work")

def main():
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(asyncio.Protocol, "localhost", 8025))
    child = SpawnProcess(target=work)
    child.start()
    tail = subprocess.Popen(["tail", "-f", "log"])
    loop.add_signal_handler(signal.SIGTERM, loop.stop)
    loop.run_forever()
    server.close()
    loop.run_until_complete(server.wait_closed())
    if tail.poll() is None:
        tail.kill()
        tail.wait()
    child.join(8)

if __name__ == "__main__":
    main()
"""


def test_a_method_of_the_loop_is_the_handler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(SERVING)
    programs = {program["kind"]: program for program in mapped()["programs"]}
    way = next(way for way in programs["program"]["ways"] if way["trigger"] == "SIGTERM")
    assert (way["complete"], way["seconds"], way["endless"]) == (True, 8, 0)
    assert steps_of(way) == [
        ("release", "server.close()"),
        ("release", "server.wait_closed()"),
        ("maybe", "if tail.poll() is None"),
        ("stop", "tail.kill()"),
        ("wait", "tail.wait()"),
        ("wait", "child.join(8)"),
    ]
    assert programs["process"]["name"] == "app:work"
    assert not any(way["handled"] for way in programs["process"]["ways"] if way["trigger"] == "SIGTERM")


RAISED = """\
import signal, time

class Server:
    class Leave(Exception):
        pass

    def __init__(self):
        self.leaving = False
        self.log = open("log", "w")

    def terminate(self):
        if not self.leaving:
            self.leaving = True
            raise self.Leave()

    def on_term(self, signum, frame):
        self.terminate()

    def serve(self):
        signal.signal(signal.SIGTERM, self.on_term)
        while True:
            try:
                time.sleep(1)
            except (self.Leave, KeyboardInterrupt):
                break
        self.log.close()

def main(library):
    if library:
        library.serve_forever()
    else:
        Server().serve()

if __name__ == "__main__":
    main(None)
"""


def test_what_the_handler_calls_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``self.terminate()`` of the project's own ends no children by its name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(RAISED)
    way = way_of(mapped(), "SIGTERM")
    assert (way["complete"], way["seconds"]) == (True, 0)
    assert steps_of(way) == [
        ("stop", "self.terminate()"),
        ("raise", "self.Leave()"),
        ("release", "self.log.close()"),
    ]


FACTORY = """\
import multiprocessing, signal, threading, time

class Kind:
    def interrupt(self, workers):
        pass

class Threads(Kind):
    def make(self, body):
        return threading.Thread(target=body, daemon=True)

class Processes(Kind):
    def make(self, body):
        return multiprocessing.Process(target=body, daemon=True)

    def interrupt(self, workers):
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join(1)

KINDS = {"thread": Threads, "process": Processes}

class Pool:
    def __init__(self, kind):
        self.stopping = False
        self.graceful = True
        self.kind = KINDS[kind]()
        self.watcher = self.make()
        self.workers = []
        for _ in range(4):
            self.workers.append(self.make())

    def make(self):
        def body():
            while not self.stopping:
                time.sleep(1)
        return self.kind.make(body)

    def on_term(self, signum, frame):
        self.graceful = signum == signal.SIGTERM
        self.stopping = True

    def stop(self, graceful):
        if graceful:
            for worker in self.workers + [self.watcher]:
                worker.join({limit})
            return
        self.kind.interrupt(self.workers)

    def run(self):
        signal.signal(signal.SIGTERM, self.on_term)
        self.watcher.start()
        for worker in self.workers:
            worker.start()
        while not self.stopping:
            time.sleep(0.5)
        self.stop({graceful})

if __name__ == "__main__":
    Pool("thread").run()
"""


@pytest.mark.parametrize("graceful", ["self.graceful", "True", "False"])
def test_workers_that_a_factory_of_the_project_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, graceful: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(FACTORY.replace("{limit}", "7").replace("{graceful}", graceful))
    (program,) = [program for program in mapped()["programs"] if program["kind"] == "program"]
    (way,) = [way for way in program["ways"] if way["trigger"] == "SIGTERM"]
    kills = steps_of(way, "daemon threads")
    if graceful == "True":
        assert not kills
    else:
        said = ("lost", "Pool.make.<locals>.body in threading.Thread")
        assert kills == [("maybe", "where nothing has waited for it"), said]
    # what the graceful way waits for and the other way's limits are not added
    assert way["seconds"] == {"self.graceful": 7.5, "True": 7.5, "False": 1.5}[graceful]


COMMANDS = """\
import os, signal, subprocess, sys

class Manager:
    def __init__(self):
        self.children = []
        self.log = open("log", "w")

    def loop(self):
        def handle(signum, frame):
            for child in self.children:
                os.kill(child.pid, signum)

        signal.signal(signal.SIGTERM, handle)
        while any(child.poll() is None for child in self.children):
            for child in self.children:
                try:
                    child.wait(0.5)
                except subprocess.TimeoutExpired:
                    pass
        self.log.close()

def run_one(args):
    child = subprocess.Popen(args)
    child.wait()
    sys.exit(child.returncode)

def run_all(args):
    Manager().loop()

COMMANDS = {"one": run_one, "all": run_all}

def main(args):
    COMMANDS[args[0]](args)

if __name__ == "__main__":
    main(sys.argv[1:])
"""


def test_the_command_that_installs_the_handler_is_the_one_that_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(COMMANDS)
    way = way_of(mapped(), "SIGTERM")
    assert way["complete"]
    assert [stretch["why"] for stretch in way["stretches"]][1:] == [
        "the loop in `Manager.loop` goes on until the children have ended",
        "`Manager.loop` goes on",
    ]
    assert steps_of(way, "goes on")[-1] == ("release", "self.log.close()")


INSIDE = """\
import multiprocessing, signal, time

def main():
    active = True
    children = []

    def shutdown(*args):
        nonlocal active
        active = False

    while active:
        signal.signal(signal.SIGTERM, shutdown)
        time.sleep(1)
    for child in children:
        child.terminate()
    for child in children:
        child.join(5)

if __name__ == "__main__":
    main()
"""


def test_a_loop_that_installs_the_handler_in_its_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(INSIDE)
    way = way_of(mapped(), "SIGTERM")
    assert (way["complete"], way["seconds"], way["open"]) == (True, 6, 1)
    assert [text for kind, text in steps_of(way) if kind != "loop"] == [
        "active = False", "time.sleep(1)", "child.terminate()", "child.join(5)"
    ]  # fmt: skip


MANAGED = """\
import asyncio, contextlib, signal

class Server:
    def __init__(self):
        self.stopping = False
        self.log = open("log", "w")

    def stop(self, signum, frame):
        self.stopping = True

    @contextlib.contextmanager
    def signals(self):
        old = signal.signal(signal.SIGTERM, self.stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, old)
        self.log.close()

    async def tick(self):
        if self.stopping:
            return True
        return False

    async def serve(self):
        with self.signals():
            done = False
            while not done:
                await asyncio.sleep(0.1)
                done = await self.tick()

async def start():
    await Server().serve()

if __name__ == "__main__":
    asyncio.run(start())
"""


def test_a_handler_inside_of_a_context_manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(MANAGED)
    way = way_of(mapped(), "SIGTERM")
    assert way["complete"]
    assert steps_of(way) == [
        ("tell", "self.stopping = True"),
        ("wait", "asyncio.sleep(0.1)"),
        ("call", "end of `with self.signals()`"),
        ("release", "self.log.close()"),
    ]


# --- formats ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["threaded"], indirect=True)
def test_text(service: Path) -> None:
    lines = run("map", "--no-cache").stdout.decode().splitlines()
    assert lines[0] == "threaded:__main__  threaded.py:1"
    assert "  SIGTERM  waits up to 5.2 s of 30 s" in lines
    (join,) = [line for line in lines if "_thread.join" in line]
    assert re.search(r"│  └─ waits +self\._thread\.join\(…\) +threaded\.py:25  ≤ 5 s ━+ +┊", join)
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("service", ["threaded"], indirect=True)
def test_pictures(service: Path) -> None:
    svg = run("map", "--no-cache", "--output-format", "svg").stdout.decode()
    root = ET.fromstring(svg)
    space = "{http://www.w3.org/2000/svg}"
    titles = [title.text or "" for title in root.iter(f"{space}title")]
    assert "threaded.py:25\nself._thread.join(timeout=5)" in titles
    rows = [group for group in root.iter(f"{space}g") if group.get("class") == "row"]
    tops = [float(box.get("y", 0)) for row in rows for box in row.iter(f"{space}rect") if box.get("class") == "hit"]
    heights = [
        float(box.get("height", 0)) for row in rows for box in row.iter(f"{space}rect") if box.get("class") == "hit"
    ]
    assert all(top + height <= below for top, height, below in zip(tops, heights, tops[1:], strict=False))
    page = run("map", "--no-cache", "--output-format", "html").stdout.decode()
    html.parser.HTMLParser().feed(page)
    assert "{{" not in page
    assert not re.search(r"(?:src|href)=|https?://(?!www\.w3\.org)", page)


def test_names_cannot_break_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / 'a<b>&\x1b[31m"`#'
    folder.mkdir()
    write_app(folder, LOOP + "a.join(5)\n")
    for name in ("text", "mermaid", "svg", "html"):
        done = run("map", "--output-format", name)
        assert done.returncode == 0
        assert b"\x1b" not in done.stdout
        assert b"a<b>" not in done.stdout or name == "text"


@pytest.mark.parametrize("service", ["threaded"], indirect=True)
def test_mermaid(service: Path) -> None:
    lines = run("map", "--no-cache", "--output-format", "mermaid").stdout.decode().splitlines()
    assert lines[0] == "flowchart TD"
    nodes = {line.split("[")[0].split("(")[0].split("{")[0].strip() for line in lines if '"' in line}
    for line in lines:
        if "-->" in line:
            assert {part.strip() for part in line.split("-->")} <= nodes


def test_a_file_takes_the_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_app(tmp_path, LOOP)
    done = run("map", "--output-format", "json", "--output-file", "map.json")
    assert (done.returncode, done.stdout) == (0, b"")
    assert json.loads((tmp_path / "map.json").read_text())["grace"] == 30


@pytest.mark.parametrize("service", ["threaded"], indirect=True)
def test_each_thing_has_a_lane(service: Path) -> None:
    svg = ET.fromstring(run("map", "--no-cache", "--output-format", "svg").stdout.decode())
    groups = [group for group in svg.iter("{http://www.w3.org/2000/svg}g") if group.get("class") == "lane"]
    said = [[text.text for text in group.iter("{http://www.w3.org/2000/svg}text")] for group in groups]
    assert said[:3] == [["thread", "main"], ["object", "jobs"], ["thread", "Feeder._thread"]]
    assert ["file", "Journal._stream"] in said


# --- in a browser ----------------------------------------------------------------------------------------------------

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# What is drawn, by its geometry: texts that overlap, texts that reach into the axis, marks outside of it, what lies under the
# pointer in the middle of each row and each mark, and whether the zoom stretches the picture.
LOOK = """
const box = (e) => e.getBoundingClientRect();
const over = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3;
const log = {overlaps: [], wide: [], outside: [], tips: 0, bare: []};
for (const svg of document.querySelectorAll("section svg")) {
  const texts = [...svg.querySelectorAll("text")];
  const axis = Math.min(...[...svg.querySelectorAll(".grid, .grace")].map((e) => box(e).left));
  texts.forEach((a, i) => texts.slice(i + 1).forEach((b) => { if (over(box(a), box(b))) log.overlaps.push([a.textContent, b.textContent]); }));
  for (const e of svg.querySelectorAll(".step, .took, .sort"))
    if (e.closest(".row, .lane") && box(e).right > axis) log.wide.push(e.textContent);
  for (const e of svg.querySelectorAll(".bar, .endless, .dot, .gone"))
    if (box(e).left < axis - 5 || box(e).right > box(svg).right) log.outside.push(e.outerHTML);
  for (const e of svg.querySelectorAll(".row, .mark > :not(title)")) {
    e.scrollIntoView({block: "center"});
    const r = box(e), found = document.elementFromPoint((r.left + r.right) / 2, (r.top + r.bottom) / 2);
    const tip = found && found.closest(".row, .mark");
    if (tip && tip.querySelector("title").textContent.includes(":")) log.tips += 1; else log.bare.push(e.outerHTML);
  }
}
const before = box(document.querySelector("section svg")).width;
const slider = document.querySelector("#zoom");
slider.value = 2; slider.dispatchEvent(new Event("input"));
log.zoom = box(document.querySelector("section svg")).width / before;
document.body.innerHTML = "<output></output>";
document.querySelector("output").textContent = JSON.stringify(log);
"""


def looked_at(text: str, folder: Path, width: int) -> Any:
    page = folder / "page.html"
    page.write_text(text.replace("</body>", f"<script>{LOOK}</script></body>"), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},900"]
    command = [str(CHROMIUM), *flags, "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=True)
    (log,) = re.findall("<output>(.*)</output>", done.stdout)
    return json.loads(html.unescape(log))


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
@pytest.mark.parametrize(
    ("service", "width"), [(name, 1200) for name in ALL] + [("consumer", 800)], indirect=["service"]
)
def test_geometry_hover_and_zoom(service: Path, tmp_path: Path, width: int) -> None:
    log = looked_at(run("map", "--no-cache", "--output-format", "html").stdout.decode(), tmp_path, width)
    assert (log["overlaps"], log["wide"], log["outside"], log["bare"]) == ([], [], [], [])
    assert log["tips"] > 5
    assert log["zoom"] == pytest.approx(2, rel=0.05)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_long_names_stay_in_their_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    long = "connection_to_the_second_" * 8
    write_app(tmp_path, f"{long} = open('log', 'w')\n" + LOOP + f"a.join(45)\nb.join()\n{long}.close()\n")
    log = looked_at(run("map", "--no-cache", "--output-format", "html").stdout.decode(), tmp_path, 1200)
    assert (log["overlaps"], log["wide"], log["outside"], log["bare"]) == ([], [], [], [])
