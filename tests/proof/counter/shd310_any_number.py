"""A handler that takes any number of arguments."""

#| reason = ""

import signal
import sys


def stop(*_):
    sys.exit(143)


signal.signal(signal.SIGTERM, stop)
