"""APScheduler 3.11.3: SIGTERM that arrives while an event listener runs is swallowed, and the program goes on.

The program ends on SIGTERM by `sys.exit()` in a signal handler, as most programs in containers do. The scheduler runs
in the main thread; its listener reports each job to a monitor and takes a moment for it.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

REQUIREMENTS = ("apscheduler==3.11.3",)
LIMIT = 30  # seconds until a step counts as failed
PATIENCE = 3  # seconds after the signal in which the program may end; it needs none


def serve(mended: bool) -> None:
    from apscheduler.events import EVENT_JOB_SUBMITTED
    from apscheduler.schedulers.blocking import BlockingScheduler

    class MendedScheduler(BlockingScheduler):
        def _dispatch_event(self, event) -> None:
            with self._listeners_lock:
                listeners = tuple(self._listeners)
            for callback, mask in listeners:
                if event.code & mask:
                    try:
                        callback(event)
                    except Exception:  # was: except BaseException
                        self._logger.exception("Error notifying listener")

    def report(event) -> None:
        print("reporting", flush=True)
        time.sleep(0.5)  # a request to the monitor

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    scheduler = MendedScheduler() if mended else BlockingScheduler()
    scheduler.add_listener(report, EVENT_JOB_SUBMITTED)
    scheduler.add_job(int, "interval", seconds=1)
    scheduler.start()


def stopped(mended: bool) -> bool:
    """Send SIGTERM during a report: did the program end?"""
    command = [sys.executable, __file__, "mended" if mended else "released"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        limit = threading.Timer(LIMIT, process.kill)
        limit.start()
        try:
            assert process.stdout and process.stdout.readline() == "reporting\n"
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
            return process.returncode == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            limit.cancel()
            process.kill()


def main() -> int:
    seen = []
    for name, mended in (("BEFORE", False), ("AFTER", True)):
        ended = stopped(mended)
        print(f"{name}: SIGTERM while a listener runs")
        print(f"  the program {'ended' if ended else f'still runs {PATIENCE} s later, and goes on scheduling'}")
        seen.append(ended)
    return 0 if seen == [False, True] else 1


if __name__ == "__main__":
    if sys.argv[1:]:
        serve(sys.argv[1] == "mended")
    else:
        sys.exit(main())
