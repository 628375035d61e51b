"""The executor is handed to the caller: `with` would close it too early."""

#| reason = ""

from concurrent.futures import ThreadPoolExecutor


def make():
    pool = ThreadPoolExecutor()
    pool.submit(print, "begun")
    return pool


make().shutdown()
