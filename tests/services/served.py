"""An asyncio service: SIGTERM sets an event of the loop; the server is closed, the background task ends within its limit."""

import asyncio
import signal
import sys


async def refresh(stopping, path):
    while not stopping.is_set():
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)
    print("refreshed", path, flush=True)


async def answer(reader, writer):
    writer.close()
    await writer.wait_closed()


async def serve(path):
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    task = asyncio.create_task(refresh(stopping, path))
    print("ready", flush=True)
    await stopping.wait()
    server.close()
    await asyncio.wait_for(server.wait_closed(), 10)
    await asyncio.wait_for(task, 3)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
