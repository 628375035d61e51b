"""distributed 2026.8.0: when closing a cluster fails once, closing it again waits for ever.

A cluster has two workers; one of them fails to close the first time (here: its user-defined `close` meets a full
disk). The
program closes its cluster, sees the error, and leaves its `async with` block, which closes the cluster again.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

REQUIREMENTS = ("distributed==2026.8.0",)
LIMIT = 25  # seconds until a hang is a hang; a clean close takes about one


async def application(mended: bool) -> None:
    from distributed import Scheduler, SpecCluster, Worker
    from distributed.core import Status

    class FullDisk(Worker):
        failed = False

        async def close(self, *args, **kwargs):
            if not self.failed:
                self.failed = True
                raise OSError("No space left on device")
            return await super().close(*args, **kwargs)

    class MendedCluster(SpecCluster):
        async def _close(self) -> None:
            """A close that fails is over, too: the next one must not wait for it."""
            try:
                await super()._close()
            finally:
                if self.status == Status.closing:
                    self.status = Status.failed

    quiet = {"dashboard_address": None, "port": 0, "host": "127.0.0.1"}
    worker = {"cls": Worker, "options": {"dashboard": False, "nthreads": 1, "host": "127.0.0.1"}}
    cluster = (MendedCluster if mended else SpecCluster)(
        scheduler={"cls": Scheduler, "options": {**quiet, "dashboard": False}},
        workers={0: worker, 1: {**worker, "cls": FullDisk}},
        asynchronous=True,
    )
    async with cluster:
        print("cluster of", len(cluster.workers), flush=True)
        try:
            await cluster.close()
        except OSError as error:
            print("close failed:", error, flush=True)
    print("closed", flush=True)


def main() -> int:
    seen = []
    for name, mended in (("BEFORE", False), ("AFTER", True)):
        start = time.monotonic()
        command = [sys.executable, __file__, "mended" if mended else "released"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
            out, ended = done.stdout, True
        except subprocess.TimeoutExpired as error:
            out, ended = (error.stdout or b"").decode(), False
        print(f"{name}:", *out.splitlines(), sep="\n  ")
        seconds = time.monotonic() - start
        print(f"  -> {f'ended after {seconds:.1f} s' if ended else f'still hangs after {LIMIT} s'}")
        seen.append((ended, "close failed:" in out))
    return 0 if seen == [(False, True), (True, True)] else 1


if __name__ == "__main__":
    if sys.argv[1:]:
        asyncio.run(application(sys.argv[1] == "mended"))
    else:
        sys.exit(main())
