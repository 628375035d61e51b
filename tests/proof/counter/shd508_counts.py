"""The clause counts failures too: a cancellation is none."""

#| reason = "does more than to release"

import asyncio

failures = []


async def connect(connection):
    try:
        await connection.handshake()
    except Exception as error:
        failures.append(error)
        await connection.close()
        raise
    return connection


asyncio.run(asyncio.sleep(0))
