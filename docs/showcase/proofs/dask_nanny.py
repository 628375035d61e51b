"""distributed 2026.8.0: a nanny that gives up on a slow worker at `death_timeout` leaves the worker's process behind.

A nanny starts a worker that needs longer than `death_timeout` to come up, as one does that loads a model or waits for
a mount. The nanny gives up and closes. Then the program looks for the process that the nanny had started.
"""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import textwrap
import time

from distributed import Nanny, Scheduler, Worker, nanny as nanny_module

REQUIREMENTS = ("distributed==2026.8.0",)
LIMIT = 60  # seconds for the whole program
DEATH_TIMEOUT = 5  # seconds; a process of a worker needs two or three to begin
SLOW = 20  # seconds that the worker needs in addition

OLD = """\
        except Exception:
            logger.error("Worker failed to connect")
"""
NEW = """\
        except BaseException:
            logger.error("Worker failed to connect")
            if self.status == Status.starting:
                self.status = Status.failed  # before the `await` below, in which a second cancellation may come
"""


class SlowWorker(Worker):
    def __init__(self, *args, **kwargs) -> None:
        time.sleep(SLOW)
        super().__init__(*args, **kwargs)


def mend() -> None:
    """The clause sees the cancellation, too, as which a timeout comes."""
    source = textwrap.dedent(inspect.getsource(nanny_module.WorkerProcess.start))
    assert source.count(OLD) == 1
    scope: dict[str, object] = {}
    exec(source.replace(OLD, NEW), vars(nanny_module), scope)
    nanny_module.WorkerProcess.start = scope["start"]


async def program() -> None:
    import psutil

    async with Scheduler(host="127.0.0.1", port=0, dashboard=False, dashboard_address=None) as scheduler:
        options = {"nthreads": 1, "host": "127.0.0.1", "dashboard": False}
        nanny = Nanny(scheduler.address, death_timeout=DEATH_TIMEOUT, worker_class=SlowWorker, **options)
        try:
            await nanny
        except Exception as error:  # noqa: BLE001 - which one it is differs
            print("the nanny gave up:", type(error).__name__, error)
        print("the nanny is", nanny.status.name)
        await asyncio.sleep(2)  # a process that got SIGTERM has ended by then
        workers = [child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())]
        print("processes of workers that still run:", len(workers))
        for worker in workers:
            worker.kill()


def main() -> int:
    seen = []
    for name, role in (("BEFORE", "released"), ("AFTER", "mended")):
        command = [sys.executable, __file__, role]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
        lines = done.stdout.splitlines()
        print(f"{name}:", *lines, sep="\n  ")
        seen.append(lines[-1][-1:] if lines else "")
    return 0 if seen == ["1", "0"] else 1


if __name__ == "__main__":
    if sys.argv[1:]:
        if sys.argv[1] == "mended":
            mend()
        asyncio.run(program())
    else:
        sys.exit(main())
