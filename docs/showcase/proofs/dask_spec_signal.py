"""distributed 2026.8.0: under `dask spec`, one server that fails to close cuts off the closing of the others.

`dask spec` runs two nannies and gets SIGTERM. The first fails in its `close`; the second needs a second to hand over
what it has collected.
"""

from __future__ import annotations

import inspect
import json
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

REQUIREMENTS = ("distributed==2026.8.0",)
LIMIT = 60  # seconds until a step counts as failed

SERVERS = """
import asyncio
from distributed import Nanny

class FullDisk(Nanny):
    async def close(self, *args, **kwargs):
        raise OSError("No space left on device")

class Uploads(Nanny):
    async def close(self, *args, **kwargs):
        await asyncio.sleep(1)
        open("uploaded", "w").close()
        await super().close(*args, **kwargs)
"""

OLD = "            await asyncio.gather(*(w.close() for w in servers.values()))\n"
NEW = """\
            closes = (w.close() for w in servers.values())
            results = await asyncio.gather(*closes, return_exceptions=True)
            for result in results:
                if isinstance(result, BaseException):
                    raise result
"""


def spec(mended: bool, arguments: list[str]) -> None:
    """The command ``dask spec``; mended, it reports the failure after the last server has closed."""
    from distributed.cli import dask_spec

    if mended:
        source = inspect.getsource(dask_spec)
        assert source.count(OLD) == 1
        exec(source.replace(OLD, NEW), vars(dask_spec))
    dask_spec.main(arguments)


def stopped(folder: Path, mended: bool) -> bool:
    """Send SIGTERM as soon as both have their worker: has the second one uploaded what it had?"""
    (folder / "servers.py").write_text(SERVERS)
    run = [sys.executable, __file__]
    env = {"PYTHONPATH": str(folder), "PYTHONUNBUFFERED": "1"}
    options = {"dashboard": False, "nthreads": 1, "host": "127.0.0.1"}
    nannies = {name: {"cls": f"servers.{name}", "opts": options} for name in ("FullDisk", "Uploads")}
    scheduler = {"cls": "distributed.Scheduler", "opts": {"host": "127.0.0.1", "port": 0, "dashboard_address": None}}
    started = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen([*run, *arguments], cwd=folder, env=env, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    limit = threading.Timer(LIMIT, lambda: [process.kill() for process in started])
    limit.start()
    try:
        first = start("released", "--spec", json.dumps(scheduler))
        url = next(line.split()[-1] for line in first.stderr or () if "Scheduler at:" in line)
        threading.Thread(target=first.stderr.read, daemon=True).start()
        second = start("mended" if mended else "released", url, "--spec", json.dumps(nannies))
        up = 0
        for line in second.stderr or ():
            up += "Registered to" in line
            if up == 2:
                break
        second.send_signal(signal.SIGTERM)
        second.communicate()
        return (folder / "uploaded").exists()
    finally:
        limit.cancel()
        for process in started:
            process.kill()
            process.wait()


def main() -> int:
    seen = []
    for name, mended in (("BEFORE", False), ("AFTER", True)):
        with tempfile.TemporaryDirectory() as folder:
            uploaded = stopped(Path(folder), mended)
        print(f"{name}: SIGTERM to two nannies, the first of which fails to close")
        print(f"  the upload of the second {'is complete' if uploaded else 'was cut off'}")
        seen.append(uploaded)
    return 0 if seen == [False, True] else 1


if __name__ == "__main__":
    if sys.argv[1:]:
        spec(sys.argv[1] == "mended", sys.argv[2:])
    else:
        sys.exit(main())
