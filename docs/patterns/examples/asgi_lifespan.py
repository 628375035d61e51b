"""An ASGI application: the server handles the signals, the lifespan cleans up."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator


@contextlib.asynccontextmanager
async def lifespan(app: object) -> AsyncIterator[None]:
    refresh = asyncio.create_task(asyncio.sleep(3600))
    print("startup: pool open")
    try:
        yield
    finally:
        refresh.cancel()
        await asyncio.wait([refresh], timeout=3)
        print("shutdown: background task done, pool closed")


async def serve() -> None:
    """Stands for the server: uvicorn and hypercorn do this by themselves."""
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    async with lifespan(None):
        print("ready", flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(serve())
