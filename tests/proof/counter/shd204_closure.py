"""A function that outlives the block uses the executor."""

#| reason = "in a function of its own"

from concurrent.futures import ThreadPoolExecutor


def make():
    pool = ThreadPoolExecutor()

    def add(job):
        pool.submit(job)

    return add


make()(print)
