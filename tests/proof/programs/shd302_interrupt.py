"""A service that ends in order on Ctrl-C."""

#| shows = "the cleanup, because SIGTERM kills the program"
#| unsafe = true
#| [[run]]
#| signal = "SIGTERM"
#| before = { code = -15, files = { "poller.pid" = "here" } }
#| after = { out = "stopped\ncleanup", files = { "poller.pid" = false } }
#| [[run]]
#| signal = "SIGINT"
#| before = { out = "stopped\ncleanup", files = { "poller.pid" = false } }

import os
import time


def poll():
    os.write(1, b"ready\n")
    while True:
        time.sleep(0.05)


def main():
    with open("poller.pid", "w") as note:
        note.write("here")
    try:
        poll()
    except KeyboardInterrupt:
        print("stopped", flush=True)
    finally:
        os.unlink("poller.pid")
        print("cleanup", flush=True)


if __name__ == "__main__":
    main()
