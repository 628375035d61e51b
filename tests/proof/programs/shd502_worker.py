"""A coroutine that notes its cancellation and goes on."""

#| shows = "Ctrl-C cancels the task in vain"
#| unsafe = true
#| [[run]]
#| signal = "SIGINT"
#| before = { hang = true, out = "cancelled" }
#| after = { code = 130, out = "cancelled\ncleanup" }

import asyncio
import os
import sys


async def poll():
    await asyncio.sleep(0.05)


async def work():
    os.write(1, b"ready\n")
    while True:
        try:
            await poll()
        except asyncio.CancelledError:
            print("cancelled", flush=True)


async def main():
    try:
        await work()
    finally:
        print("cleanup", flush=True)


try:
    asyncio.run(main())
except KeyboardInterrupt:
    sys.exit(130)
