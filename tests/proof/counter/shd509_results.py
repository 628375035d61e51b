"""The results are used: exceptions would be taken for them."""

#| reason = "not a statement of its own"

import asyncio


async def stop(parts):
    left = await asyncio.gather(*[part.close() for part in parts])
    return sum(left)
