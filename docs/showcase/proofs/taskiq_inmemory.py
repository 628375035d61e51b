"""taskiq 0.13.0: `InMemoryBroker.shutdown()` and a running sync task wait for each other, for ever.

A sync task asks the event loop for something, as sync code that uses an async client does. SIGTERM ends the
application while the task is at work, and the application closes its broker, as the documentation says.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading

REQUIREMENTS = ("taskiq==0.13.0",)
LIMIT = 30  # seconds until a step counts as failed
PATIENCE = 8  # seconds after the signal in which the application may end; the task needs less than one


async def application(mended: bool) -> None:
    """Start a task, serve until SIGTERM, close the broker."""
    from taskiq import InMemoryBroker

    class MendedBroker(InMemoryBroker):
        async def shutdown(self) -> None:
            """Wait for the threads in another thread, so that the loop can go on serving them."""
            await asyncio.to_thread(self.executor.shutdown)
            await super().shutdown()

    broker = MendedBroker() if mended else InMemoryBroker()
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)

    async def fetch() -> str:
        await asyncio.sleep(0.5)
        return "row"

    @broker.task
    def report() -> None:
        print("working", flush=True)
        row = asyncio.run_coroutine_threadsafe(fetch(), loop).result()
        print("finished with", row, flush=True)

    await broker.startup()
    await report.kiq()
    await stop.wait()
    await broker.shutdown()


def stopped(mended: bool) -> tuple[bool, str]:
    """Start the application and send SIGTERM: did it end, and what did the task print?"""
    command = [sys.executable, __file__, "mended" if mended else "released"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        limit = threading.Timer(LIMIT, process.kill)
        limit.start()
        try:
            assert process.stdout and process.stdout.readline() == "working\n"
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE)
                ended = True
            except subprocess.TimeoutExpired:
                ended = False
        finally:
            limit.cancel()
            process.kill()
        return ended, process.stdout.read().strip()


def main() -> int:
    seen = []
    for name, mended in (("BEFORE", False), ("AFTER", True)):
        ended, printed = stopped(mended)
        print(f"{name}: SIGTERM while a sync task waits 0.5 s for a coroutine")
        state = "ended" if ended else f"still hangs {PATIENCE} s later"
        print(f"  the application {state}; the task {printed or 'never finished'}")
        seen.append((ended, printed))
    return 0 if seen == [(False, ""), (True, "finished with row")] else 1


if __name__ == "__main__":
    if sys.argv[1:]:
        asyncio.run(application(sys.argv[1] == "mended"))
    else:
        sys.exit(main())
