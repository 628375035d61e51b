"""Child processes: they clean up on SIGTERM, leave Ctrl-C to the parent, and are joined."""

import multiprocessing
import signal
import sys
import time


def child(number: int) -> None:
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(0))
    # Ctrl-C reaches the whole group: the parent decides
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        print(f"child {number}: up", flush=True)
        time.sleep(60)
    finally:
        print(f"child {number}: cleanup", flush=True)


def stop(children: "list[multiprocessing.Process]", grace: float) -> None:
    for process in children:
        process.terminate()
    end = time.monotonic() + grace
    for process in children:
        process.join(max(0.0, end - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()


def main() -> int:
    received: list[int] = []
    children = [multiprocessing.Process(target=child, args=(number,)) for number in range(2)]
    for process in children:
        process.start()
    try:
        # after the start, or a forked child inherits the handler and never ends
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda signum, frame: received.append(signum))
        print("ready", flush=True)
        while not received and all(process.is_alive() for process in children):
            time.sleep(0.1)
    finally:
        stop(children, grace=5)
        print("main: exit codes", [process.exitcode for process in children])
    return 128 + received[0] if received else 1


if __name__ == "__main__":
    sys.exit(main())
