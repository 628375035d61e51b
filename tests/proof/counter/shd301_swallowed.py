"""A clause on the way swallows the exit: the program could not be stopped any more."""

#| reason = "catches SystemExit"

import os
import time


def poll():
    while True:
        time.sleep(1)


def main():
    try:
        while True:
            try:
                poll()
            except BaseException:
                print("again")
    finally:
        os.unlink("poller.pid")


if __name__ == "__main__":
    main()
