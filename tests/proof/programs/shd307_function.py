"""A service on asyncio whose handler says which signal came."""

#| shows = "the loop sleeps on"
#| unsafe = true
#| [[run]]
#| signal = "SIGTERM"
#| before = { hang = true, out = "got 15" }
#| after = { out = "got 15\ncleanup" }

import asyncio
import os
import signal
import threading


class Service:
    def __init__(self):
        self.stopped = asyncio.Event()

    def on_signal(self, signum, frame):
        print("got", signum + 0, flush=True)
        self.stopped.set()

    async def run(self):
        signal.signal(signal.SIGTERM, self.on_signal)
        threading.Timer(0.2, os.write, (1, b"ready\n")).start()  # when the loop is asleep
        await self.stopped.wait()
        print("cleanup", flush=True)


async def main():
    await Service().run()


asyncio.run(main())
