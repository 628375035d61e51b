"""A tool that says it is done while its jobs are at work."""

#| shows = "the jobs are at work when the function is left"
#| unsafe = true
#| [[run]]
#| before = { out = "left the block\nsaved" }
#| after = { out = "saved\nleft the block" }

import time
from concurrent.futures import ThreadPoolExecutor


def save():
    time.sleep(0.3)
    print("saved", flush=True)


def run():
    pool = ThreadPoolExecutor()
    pool.submit(save)


run()
print("left the block", flush=True)
