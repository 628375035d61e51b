"""The clause catches more: `raise` would end the loop for these too."""

#| reason = "does not catch `CancelledError` alone"

import asyncio


async def poll(source):
    while True:
        try:
            print(await source.read())
        except (asyncio.CancelledError, OSError):
            print("again")
