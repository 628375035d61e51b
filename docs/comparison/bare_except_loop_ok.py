import signal
import sys
import time


def main() -> None:
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(143))
    while True:
        try:
            time.sleep(1)
        except OSError:
            print("failed, again")


if __name__ == "__main__":
    main()
