"""A service whose handler is also called directly."""

#| shows = "the cleanup, because the handler cannot be called"
#| [[run]]
#| signal = "SIGTERM"
#| before = { code = 1, err = "TypeError" }
#| after = { code = 143, out = "cleanup" }
#| [[run]]
#| signal = "SIGINT"
#| before = { code = 143, out = "cleanup" }

import os
import signal
import sys
import time


def stop():
    print("cleanup", flush=True)
    sys.exit(143)


signal.signal(signal.SIGTERM, stop)
try:
    os.write(1, b"ready\n")
    while True:
        time.sleep(0.05)
except KeyboardInterrupt:
    stop()
