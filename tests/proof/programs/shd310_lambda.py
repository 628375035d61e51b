"""A service whose handler is a lambda."""

#| shows = "the exit code, because the handler cannot be called"
#| [[run]]
#| signal = "SIGTERM"
#| before = { code = 1, out = "left", err = "TypeError" }
#| after = { code = 143, out = "left" }
#| [[run]]
#| signal = "SIGINT"
#| before = { code = -2, out = "left", err = "KeyboardInterrupt" }

import os
import signal
import sys
import time

signal.signal(signal.SIGTERM, lambda: sys.exit(143))
try:
    os.write(1, b"ready\n")
    while True:
        time.sleep(0.05)
finally:
    print("left", flush=True)
