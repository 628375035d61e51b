"""What is registered is what the factory returns: without the call, the cleanup would never run."""

#| reason = ""

import atexit


def closer(name):
    def close():
        print("closed", name)

    return close


atexit.register(closer("db"))
