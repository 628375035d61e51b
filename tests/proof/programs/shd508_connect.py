"""A client that is told to stop while it connects."""

#| shows = "the connection stays open when the task is cancelled"
#| [[run]]
#| signal = "SIGTERM"
#| before = { out = "cancelled" }
#| after = { out = "closed\ncancelled" }
#| [[run]]
#| args = ["refused"]
#| before = { out = "closed\nrefused" }

import asyncio
import os
import signal
import sys


class Connection:
    async def handshake(self):
        if sys.argv[1:] == ["refused"]:
            raise OSError("refused")
        os.write(1, b"ready\n")
        await asyncio.sleep(60)

    async def close(self):
        await asyncio.sleep(0)
        print("closed", flush=True)


async def connect():
    connection = Connection()
    try:
        await connection.handshake()
    except Exception:  # whatever it is
        await connection.close()
        raise
    return connection


async def main():
    task = asyncio.current_task()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await connect()
    except OSError as error:
        print(error, flush=True)
    except asyncio.CancelledError:
        print("cancelled", flush=True)


asyncio.run(main())
