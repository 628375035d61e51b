"""A module that others import: a handler at its top would fail in their threads."""

#| reason = ""

import os
import time


def poll():
    try:
        while True:
            time.sleep(1)
    finally:
        os.unlink("poller.pid")
