"""A thread that never ends: after `sys.exit` the program would wait for it for ever."""

#| reason = "may keep the program from ending"

import os
import threading
import time


def beat():
    while True:
        time.sleep(1)


def main():
    threading.Thread(target=beat).start()
    with open("report", "w") as report:
        report.write("begun")
        os._exit(4)


if __name__ == "__main__":
    main()
