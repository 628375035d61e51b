"""The handler looks at the frame, which the loop does not know."""

#| reason = "uses the frame"

import asyncio
import signal

stop = asyncio.Event()


def on_signal(signum, frame):
    print(frame.f_lineno)
    stop.set()


async def main():
    signal.signal(signal.SIGTERM, on_signal)
    await stop.wait()


asyncio.run(main())
