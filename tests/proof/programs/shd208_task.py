"""A service that starts a worker in the background and then serves; garbage collection comes by sooner or later."""

#| shows = "a task that is collected half-way"
#| [[run]]
#| before = { out = "workers alive: 0", err = "Task was destroyed but it is pending" }
#| after = { out = "workers alive: 1" }
#| [[run]]
#| args = ["held"]
#| before = { out = "workers alive: 1" }

import asyncio
import gc
import sys


class Feed:
    """Wakes its reader when something arrives."""

    async def read(self):
        arrived = asyncio.get_running_loop().create_future()
        await arrived


async def watch(feed):
    await feed.read()


async def main():
    if sys.argv[1:] == ["held"]:
        held = asyncio.create_task(watch(Feed()))
        await asyncio.sleep(0)
        print("workers alive:", len(asyncio.all_tasks()) - 1, flush=True)
        held.cancel()
        return
    asyncio.create_task(watch(Feed()))
    await asyncio.sleep(0)
    gc.collect()
    print("workers alive:", len(asyncio.all_tasks()) - 1, flush=True)


asyncio.run(main())
