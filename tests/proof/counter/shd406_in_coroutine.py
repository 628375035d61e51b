"""The wait would block the event loop."""

#| reason = "would block the event loop"

import asyncio
import subprocess


class Helper:
    def __init__(self):
        self.child = subprocess.Popen(["sleep", "60"])

    async def stop(self):
        self.child.kill()


async def main():
    await Helper().stop()


asyncio.run(main())
