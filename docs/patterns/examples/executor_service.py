"""An executor: running jobs are told to end, queued ones are dropped."""

import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

stop = threading.Event()


def job(number: int) -> None:
    for _ in range(20):
        if stop.wait(0.1):
            print(f"job {number}: stopped early, state saved")
            return


def main() -> int:
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(128 + signum))
    pool = ThreadPoolExecutor(2)
    try:
        futures = [pool.submit(job, number) for number in range(50)]
        print("ready", flush=True)
        for future in futures:
            future.result()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    finally:
        stop.set()  # running jobs see it
        # `with` alone would run all that are queued
        pool.shutdown(wait=True, cancel_futures=True)
        dropped = sum(future.cancelled() for future in futures)
        print("main: queued jobs dropped:", dropped > 40)
    return 0


if __name__ == "__main__":
    sys.exit(main())
