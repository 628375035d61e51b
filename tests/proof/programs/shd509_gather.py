"""A service that closes its parts at once, one of which fails."""

#| shows = "the other parts are not waited for"
#| unsafe = true
#| [[run]]
#| args = ["fail"]
#| before = { out = "OSError('gone')" }
#| after = { out = "closed a\nclosed b" }
#| [[run]]
#| before = { out = "closed a\nclosed b" }

import asyncio
import sys


class Part:
    def __init__(self, name):
        self.name = name

    async def close(self):
        await asyncio.sleep(0.1)
        print("closed", self.name, flush=True)


class Remote(Part):
    async def close(self):
        if sys.argv[1:] == ["fail"]:
            raise OSError("gone")


def make(name):
    return globals()["Remote" if name == "remote" else "Part"](name)


async def stop(parts):
    await asyncio.gather(*[part.close() for part in parts])


async def main():
    try:
        await stop(map(make, ["remote", "a", "b"]))
    except OSError as error:
        print(repr(error), flush=True)


asyncio.run(main())
