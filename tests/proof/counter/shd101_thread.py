"""In a thread, `sys.exit` ends that thread alone: the program would go on."""

#| reason = "main thread"

import os
import threading


def watch(path):
    with open(path) as source:
        if not source.read():
            os._exit(4)


if __name__ == "__main__":
    threading.Thread(target=watch, args=("state",)).start()
