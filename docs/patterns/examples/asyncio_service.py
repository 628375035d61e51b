"""An asyncio service: stop the intake, then the work within a limit, then the rest."""

import asyncio
import signal
import sys


async def work() -> None:
    try:
        while True:
            await asyncio.sleep(0.1)
    finally:
        await asyncio.sleep(0.05)
        print("worker: flushed")


async def answer(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    writer.close()
    await writer.wait_closed()


async def main() -> int:
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[int] = loop.create_future()

    def on_signal(signum: int) -> None:
        if not stop.done():
            stop.set_result(128 + signum)

    for signum in (signal.SIGTERM, signal.SIGINT):
        # unlike a handler of signal.signal, this one wakes the loop
        loop.add_signal_handler(signum, on_signal, signum)
    workers = [asyncio.create_task(work()) for _ in range(2)]
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        print("ready", flush=True)
        return await stop
    finally:
        server.close()  # 1. nothing new
        for worker in workers:
            worker.cancel()  # 2. the work, within a limit
        _, late = await asyncio.wait(workers, timeout=5)
        print("main: late workers", len(late))
        await server.wait_closed()  # 3. the rest


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
