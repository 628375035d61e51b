"""Hypercorn 0.18.0: one busy worker turns a reload by SIGHUP into an outage, and SIGTERM cannot cut it short.

Two workers serve an application; one of them is busy with a request for 12 s. SIGHUP asks for fresh workers, and 5 s
later SIGTERM asks for the end. Requests are sent all the while.
"""

from __future__ import annotations

import inspect
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

REQUIREMENTS = ("hypercorn==0.18.0",)
LIMIT = 40  # seconds until a step counts as failed
BUSY = 12  # seconds that the slow request takes
TERM_AFTER = 5  # seconds from SIGHUP to SIGTERM

APP = f"""
import time

async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    if scope["path"] == "/busy":
        time.sleep({BUSY})
    await send({{"type": "http.response.start", "status": 200, "headers": []}})
    await send({{"type": "http.response.body", "body": b"ok"}})
"""

# The handler says only that a reload is wanted; the main loop lets this generation of workers go, with an event of its
# own, and starts the next one without waiting.
PATCH = (
    (
        "            shutdown_event.set()\n"
        "            for process in processes:\n"
        "                process.join()\n"
        "            shutdown_event.clear()\n",
        '            wake.send_bytes(b"reload")\n',
    ),
    (
        "        processes: list[BaseProcess] = []\n",
        "        processes: list[BaseProcess] = []\n"
        "        leaving: list[BaseProcess] = []\n"
        "        woken, wake = ctx.Pipe(duplex=False)\n",
    ),
    (
        "                wait(process.sentinel for process in processes)\n",
        "                wait([woken, *(process.sentinel for process in processes)])\n"
        "            if woken.poll():\n"
        "                woken.recv_bytes()\n"
        "                shutdown_event.set()\n"
        "                shutdown_event = ctx.Event()\n"
        "                leaving += processes\n"
        "                processes.clear()\n"
        "            _join_exited(leaving)\n",
    ),
    (
        "for process in processes:\n            process.terminate()",
        "for process in processes + leaving:\n            process.terminate()",
    ),
)


def serve(port: int, mended: bool) -> int:
    """The same as ``hypercorn --workers 2 app:app``."""
    from hypercorn import run
    from hypercorn.config import Config

    config = Config()
    config.application_path, config.workers, config.bind = "app:app", 2, [f"127.0.0.1:{port}"]
    if mended:
        source = inspect.getsource(run.run)
        for old, new in PATCH:
            assert source.count(old) == 1, old
            source = source.replace(old, new)
        exec(source, vars(run))
    return run.run(config)


def answers(port: int, path: str = "/", seconds: float = 1) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=seconds) as response:
            return bool(response.read() == b"ok")
    except OSError:
        return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def reloaded(folder: Path, mended: bool) -> tuple[bool, float]:
    """Signals to a server with one busy worker: does it answer when SIGTERM is due, and how long does it take to end?"""
    (folder / "app.py").write_text(APP)
    port = free_port()
    command = [sys.executable, __file__, str(port), "mended" if mended else "released"]
    with subprocess.Popen(command, cwd=folder, env={"PYTHONPATH": str(folder)}, stderr=subprocess.DEVNULL) as server:
        limit = threading.Timer(LIMIT, server.kill)
        limit.start()
        try:
            while not answers(port) and server.poll() is None:
                time.sleep(0.1)
            time.sleep(1)  # until the second worker is there, too
            threading.Thread(target=answers, args=(port, "/busy", BUSY), daemon=True).start()
            time.sleep(0.5)
            assert answers(port), "the other worker does not serve"
            server.send_signal(signal.SIGHUP)
            start = time.monotonic()
            time.sleep(1)  # until the idle worker is gone
            serves = False
            while time.monotonic() < start + TERM_AFTER:
                serves = serves or answers(port)
                time.sleep(0.1)
            server.send_signal(signal.SIGTERM)
            asked = time.monotonic()
            server.wait(LIMIT)
            return serves, time.monotonic() - asked
        finally:
            limit.cancel()
            server.kill()


def main() -> int:
    ok = []
    for name, mended in (("BEFORE", False), ("AFTER", True)):
        with tempfile.TemporaryDirectory() as folder:
            serves, seconds = reloaded(Path(folder), mended)
        print(f"{name}: SIGHUP while one of two workers is busy for {BUSY} s, SIGTERM {TERM_AFTER} s later")
        print(f"  requests after the SIGHUP {'are answered' if serves else 'are not answered'}")
        print(f"  the server ended {seconds:.1f} s after SIGTERM")
        ok.append(serves and seconds < 3 if mended else not serves and seconds > 3)
    return 0 if all(ok) else 1


if __name__ == "__main__":
    sys.exit(serve(int(sys.argv[1]), sys.argv[2] == "mended") if sys.argv[1:] else main())
