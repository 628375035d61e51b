"""What the service does when it cannot go on."""

import os
import sys


def fatal(message):
    print(f"relay: {message}", file=sys.stderr)
    os._exit(78)
