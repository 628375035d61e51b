"""A process that owes cleanup of every kind and then leaves in one way: started by scripts/exits.py, of no other use.

python scripts/exits_victim.py WAY FOLDER (workers|"")
"""
# shutdown-lint: ignore-file[SHD103] every hazard is here on purpose

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

WAY, FOLDER, WORKERS = sys.argv[1:]
MARKS = os.open(os.path.join(FOLDER, "marks"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
KEPT: list[object] = []


def mark(text: str, write=os.write, to: int = MARKS) -> None:  # bound now: `__del__` comes when modules are gone
    write(to, f"{text}\n".encode())


class Thing:
    def __del__(self, mark=mark) -> None:
        mark("del")


class Target:
    pass


@contextlib.contextmanager
def block(name: str) -> Iterator[None]:
    try:
        yield
    finally:
        mark(name)


def owe_process_cleanup() -> None:
    """What belongs to the process: callbacks, buffers, threads, a pool, a child."""
    atexit.register(mark, "atexit")
    target = Target()
    weakref.finalize(target, mark, "finalize")
    buffered = open(os.path.join(FOLDER, "buffered"), "w")  # noqa: SIM115
    buffered.write("data")
    KEPT.extend((Thing(), target, buffered))
    print("data", end="")
    if WORKERS:
        owe_workers()


def owe_workers() -> None:
    threading.Thread(target=lambda: (time.sleep(0.8), mark("thread"))).start()
    threading.Thread(target=in_daemon, daemon=True).start()
    pool = ThreadPoolExecutor(1)
    for _ in range(3):
        pool.submit(lambda: (time.sleep(0.4), mark("jobs")))
    child = subprocess.Popen(["sleep", "30"], stdout=subprocess.DEVNULL)
    KEPT.extend((pool, child))
    mark(f"child:{child.pid}")


def in_daemon() -> None:
    with block("daemon"):
        time.sleep(30)


def wait() -> None:
    mark("ready")
    time.sleep(30)


def term_sys_exit() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    wait()


def term_flag() -> None:
    received: list[int] = []
    signal.signal(signal.SIGTERM, lambda signum, frame: received.append(signum))
    mark("ready")
    while not received:
        time.sleep(0.05)


def thread_sys_exit() -> None:
    thread = threading.Thread(target=sys.exit, args=(3,))
    thread.start()
    thread.join()


def fail() -> None:
    raise RuntimeError("nobody catches this")


def fork(end) -> None:
    pid = os.fork()
    if pid == 0:
        end(0)
    os.waitpid(pid, 0)
    if not any(name.startswith("temporary-") for name in os.listdir(FOLDER)):
        mark("early")  # the child has removed the folder of its parent


SYNC = {
    "return": lambda: None,
    "sys_exit": lambda: sys.exit(3),
    "exception": fail,
    "keyboard_interrupt": wait,
    "term_sys_exit": term_sys_exit,
    "term_flag": term_flag,
    "thread_sys_exit": thread_sys_exit,
    "term_default": wait,
    "hup_default": wait,
    "kill": wait,
    "os_exit": lambda: os._exit(3),
    "abort": os.abort,
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "fork_sys_exit": lambda: fork(sys.exit),
    "fork_os_exit": lambda: fork(os._exit),
}


def main() -> None:
    owe_process_cleanup()
    with block("finally"), contextlib.ExitStack() as stack:
        stack.callback(mark, "with")
        stack.enter_context(tempfile.TemporaryDirectory(dir=FOLDER, prefix="temporary-"))
        SYNC[WAY]()


async def background() -> None:
    try:
        await asyncio.sleep(30)
    finally:
        await asyncio.sleep(0.05)
        mark("task")


async def numbers() -> AsyncIterator[int]:
    try:
        while True:
            yield 1
    finally:
        mark("generator")


@contextlib.asynccontextmanager
async def resource() -> AsyncIterator[None]:
    try:
        yield
    finally:
        await asyncio.sleep(0.05)
        mark("async_with")


async def exit_in_task() -> None:
    async def leave() -> None:
        sys.exit(3)

    KEPT.append(asyncio.create_task(leave()))
    await asyncio.sleep(30)


async def handler() -> None:
    event = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, event.set)
    mark("ready")
    await event.wait()


async def wait_for_signal() -> None:
    mark("ready")
    await asyncio.sleep(30)


async def stop_loop() -> None:
    asyncio.get_running_loop().stop()
    await asyncio.sleep(30)


async def os_exit() -> None:
    os._exit(3)


ASYNC = {
    "async_return": lambda: asyncio.sleep(0),
    "async_exit_in_task": exit_in_task,
    "async_handler": handler,
    "async_interrupt": wait_for_signal,
    "async_term_default": wait_for_signal,
    "async_os_exit": os_exit,
    "async_stop_and_close": stop_loop,
}


async def async_main() -> None:
    KEPT.append(asyncio.create_task(background()))
    generator = numbers()
    KEPT.append(generator)
    await generator.__anext__()
    job = asyncio.create_task(asyncio.to_thread(lambda: (time.sleep(0.5), mark("to_thread"))))
    KEPT.append(job)
    await asyncio.sleep(0.05)
    async with resource():
        await ASYNC[WAY]()


def run_async() -> None:
    atexit.register(mark, "atexit")
    if WAY != "async_stop_and_close":
        asyncio.run(async_main())
        return
    loop = asyncio.new_event_loop()
    KEPT.append(loop.create_task(async_main()))
    loop.run_forever()
    loop.close()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever was inherited
    run_async() if WAY in ASYNC else main()
