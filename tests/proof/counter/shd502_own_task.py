"""Who cancels a task and awaits it gets the cancellation of that task, not the own one."""

#| reason = ""

import asyncio


async def replace(queue):
    while True:
        task = asyncio.create_task(queue.get())
        await asyncio.sleep(1)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            print("closed db")
