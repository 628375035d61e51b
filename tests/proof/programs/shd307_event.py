"""A service on asyncio that waits for its handler."""

#| shows = "the loop sleeps on"
#| unsafe = true
#| [[run]]
#| signal = "SIGTERM"
#| before = { hang = true }
#| after = { out = "cleanup" }

import asyncio
import os
import signal
import threading


async def main():
    stop = asyncio.Event()
    signal.signal(signal.SIGTERM, lambda signum, frame: stop.set())
    threading.Timer(0.2, os.write, (1, b"ready\n")).start()  # when the loop is asleep
    await stop.wait()
    print("cleanup", flush=True)


asyncio.run(main())
