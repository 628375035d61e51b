"""A worker that logs what goes wrong with an item; the program waits until all items are reported."""

#| shows = "`join()` waits for ever for the item that failed"
#| [[run]]
#| args = ["3", "x", "4"]
#| before = { hang = true, out = "9\nbad item\n16" }
#| after = { out = "9\nbad item\n16\nall done" }
#| [[run]]
#| args = ["3", "4"]
#| before = { out = "9\n16\nall done" }

import queue
import sys
import threading

jobs = queue.Queue()


def square(text):
    print(int(text) ** 2, flush=True)


def worker():
    while True:
        try:
            item = jobs.get()
            square(item)
            jobs.task_done()  # counted
        except ValueError:
            print("bad item", flush=True)


print("ready", flush=True)
threading.Thread(target=worker, daemon=True).start()
for given in sys.argv[1:]:
    jobs.put(given)
jobs.join()
print("all done", flush=True)
