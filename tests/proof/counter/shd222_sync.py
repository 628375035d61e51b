"""Outside of a coroutine there is nothing to await with."""

#| reason = "in a coroutine only"

import asyncio


class Client:
    async def aclose(self):
        await asyncio.sleep(0)


class Service:
    def __init__(self):
        self.client = Client()

    def stop(self):
        self.client.aclose()
