import os
import signal
import sys
import time


def stop(*_):
    os.write(1, b"cleanup\n")  # print may be what the signal interrupts
    sys.exit(143)


def main():
    signal.signal(signal.SIGTERM, stop)
    print(", ".join(sys.argv[1:]), flush=True)
    print("ready", flush=True)
    while not os.environ.get("ONCE"):
        time.sleep(0.1)
    print("done")


if __name__ == "__main__":
    main()
