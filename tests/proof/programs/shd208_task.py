"""A service that starts a worker in the background and then serves; garbage collection comes by sooner or later."""

import asyncio
import gc


class Feed:
    """Wakes its reader when something arrives."""

    async def read(self):
        arrived = asyncio.get_running_loop().create_future()
        await arrived


async def watch(feed):
    await feed.read()


async def main():
    asyncio.create_task(watch(Feed()))
    await asyncio.sleep(0)
    gc.collect()
    print("workers alive:", len(asyncio.all_tasks()) - 1, flush=True)


asyncio.run(main())
