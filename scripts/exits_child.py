"""A child of multiprocessing that owes cleanup and then leaves in one way: started by scripts/exits.py, of no other use.

python scripts/exits_child.py WAY METHOD FOLDER

Prints the exit code that the parent sees. What has run in the child is told by marks in a file.
"""
# shutdown-lint: ignore-file[SHD101, SHD201] every hazard is here on purpose

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time

ABRUPT = ("terminate", "kill", "os_exit")  # their work lasts longer than the busiest machine takes to end them
KEPT: list[object] = []


def mark(folder: str, text: str) -> None:
    with open(os.path.join(folder, "marks"), "a") as out:
        out.write(f"{text}\n")


def work(folder: str, seconds: float) -> None:
    time.sleep(seconds)
    mark(folder, "thread")


def child(way: str, folder: str) -> None:
    buffered = open(os.path.join(folder, "buffered"), "w")  # noqa: SIM115
    buffered.write("data")
    KEPT.append(buffered)
    if way == "handled":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        threading.Thread(target=work, args=(folder, 30 if way in ABRUPT else 0.2)).start()
        mark(folder, "ready")
        leave(way)
    finally:
        mark(folder, "finally")


def leave(way: str) -> None:
    if way == "sys_exit":
        sys.exit(3)
    if way == "exception":
        sys.stderr.close()
        raise ValueError(way)
    if way == "os_exit":
        os._exit(3)
    if way != "return":
        time.sleep(60)


def main(way: str, method: str, folder: str) -> None:
    process = multiprocessing.get_context(method).Process(target=child, args=(way, folder))
    process.start()
    while way in ("handled", "terminate", "kill") and not os.path.exists(os.path.join(folder, "marks")):
        time.sleep(0.02)
    if way in ("handled", "terminate"):
        process.terminate()
    elif way == "kill":
        process.kill()
    process.join()
    print(process.exitcode)


if __name__ == "__main__":
    main(*sys.argv[1:])
