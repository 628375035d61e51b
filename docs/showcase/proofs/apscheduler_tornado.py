"""APScheduler 3.11.3: `shutdown(wait=True)` does not wait for the jobs of the Tornado executor.

A `TornadoScheduler` runs three jobs, one at a time. SIGTERM arrives during the first; the application shuts the
scheduler down, closes what its jobs use, and stops its loop.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time

REQUIREMENTS = ("apscheduler==3.11.3", "tornado==6.6.1")
LIMIT = 30  # seconds until a step counts as failed
JOB = 1.0  # seconds that one job takes


async def application(mended: bool) -> None:
    from apscheduler.executors.tornado import TornadoExecutor
    from apscheduler.schedulers.tornado import TornadoScheduler

    class MendedExecutor(TornadoExecutor):
        def shutdown(self, wait: bool = True) -> None:
            """What the thread pool executor of the same package does; a queued job is not begun any more."""
            self.executor.shutdown(wait, cancel_futures=True)

    database = ["open"]

    def job(number: int) -> None:
        print(f"job {number} begins", flush=True)
        time.sleep(JOB)
        print(f"job {number} writes: the database is {database[-1]}", flush=True)

    scheduler = TornadoScheduler(executors={"default": (MendedExecutor if mended else TornadoExecutor)(max_workers=1)})
    for number in (1, 2, 3):
        scheduler.add_job(job, args=[number], misfire_grace_time=None)  # none is too late
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    scheduler.start()
    try:
        await stop.wait()
    finally:
        scheduler.shutdown(wait=True)
    await asyncio.sleep(0)  # the scheduler does it in a callback of the loop
    database.append("closed")
    print("scheduler and database closed", flush=True)


def stopped(mended: bool) -> tuple[float, list[str]]:
    """Start the application, send SIGTERM during the first job: seconds until it ended, and its lines since."""
    command = [sys.executable, __file__, "mended" if mended else "released"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        limit = threading.Timer(LIMIT, process.kill)
        limit.start()
        try:
            assert process.stdout and process.stdout.readline() == "job 1 begins\n"
            process.send_signal(signal.SIGTERM)
            start = time.monotonic()
            lines = process.stdout.read().splitlines()
            return time.monotonic() - start, lines
        finally:
            limit.cancel()
            process.kill()


def main() -> int:
    ok = []
    for name, mended in (("BEFORE", False), ("AFTER", True)):
        seconds, lines = stopped(mended)
        print(f"{name}: SIGTERM while job 1 of 3 runs; the application ended {seconds:.1f} s later")
        print(*(f"  {line}" for line in lines), sep="\n")
        late = [line for line in lines if "database is closed" in line]
        ok.append(not late and seconds < 2 * JOB if mended else len(late) == 3 and seconds > 2 * JOB)
    return 0 if all(ok) else 1


if __name__ == "__main__":
    if sys.argv[1:]:
        asyncio.run(application(sys.argv[1] == "mended"))
    else:
        sys.exit(main())
