"""With a handler, the program would wait for its thread: today SIGTERM ends it at once."""

#| reason = "may keep the program from ending"

import os
import threading
import time


def beat():
    while True:
        time.sleep(1)


def main():
    with open("worker.pid", "w") as note:
        note.write("here")
    threading.Thread(target=beat).start()
    try:
        while True:
            time.sleep(1)
    finally:
        os.unlink("worker.pid")


if __name__ == "__main__":
    main()
