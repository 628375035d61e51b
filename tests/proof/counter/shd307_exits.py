"""A handler that exits breaks into whatever blocks the loop: as the loop's callback it would come too late."""

#| reason = ""

import asyncio
import signal
import sys
import time


async def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    time.sleep(3)


asyncio.run(main())
