"""`Exception` has a clause of its own: the rest is meant."""

#| reason = "the rest is meant"

import time


def serve(log):
    while True:
        try:
            time.sleep(1)
        except Exception:
            log.error("failed")
        except BaseException:
            log.error("not now")
