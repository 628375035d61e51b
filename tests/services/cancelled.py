"""An asyncio worker: SIGTERM cancels the main task; what catches the cancellation waits for the jobs and closes the log."""

import asyncio
import signal
import sys
from functools import partial


class Worker:
    def __init__(self, path):
        self.loop = asyncio.new_event_loop()
        self.main_task = None
        self.jobs = {}
        self.log = open(path, "w")  # noqa: SIM115
        self._on_signal(signal.SIGTERM, self.handle)

    def _on_signal(self, signum, handler):
        self.loop.add_signal_handler(signum, partial(handler, signum))

    def handle(self, signum):
        for job in self.jobs.values():
            job.cancel()
        self.main_task.cancel()

    async def job(self):
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.2)

    async def main(self):
        self.jobs[1] = asyncio.create_task(self.job())
        print("ready", flush=True)
        while True:
            await asyncio.sleep(0.05)

    async def close(self):
        await asyncio.wait(self.jobs.values(), timeout=2)
        self.log.close()

    def run(self):
        self.main_task = self.loop.create_task(self.main())
        try:
            self.loop.run_until_complete(self.main_task)
        except asyncio.CancelledError:
            pass
        finally:
            self.loop.run_until_complete(self.close())


if __name__ == "__main__":
    Worker(sys.argv[1]).run()
