"""A client whose release is called and not awaited."""

#| shows = "the release never runs"
#| [[run]]
#| before = { out = "stopped", err = "never awaited" }
#| after = { out = "released\nstopped" }
#| [[run]]
#| args = ["idle"]
#| before = { out = "idle" }

import asyncio
import sys


class Client:
    async def aclose(self):
        await asyncio.sleep(0)
        print("released", flush=True)


class Service:
    def __init__(self):
        self.client = Client()

    async def stop(self):
        self.client.aclose()
        print("stopped", flush=True)


async def main():
    if sys.argv[1:] == ["idle"]:
        print("idle", flush=True)
        return
    await Service().stop()


asyncio.run(main())
