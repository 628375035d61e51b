"""Nothing else is suppressed: the block would be left bare."""

#| reason = "nothing would be left to suppress"

import asyncio
from contextlib import suppress


async def poll(source, sink):
    while True:
        with suppress(asyncio.CancelledError):
            sink.write(await source.read())
        await asyncio.sleep(5)
