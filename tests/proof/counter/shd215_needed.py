"""Every job is waited for: nothing may be dropped."""

#| reason = ""

from concurrent.futures import ThreadPoolExecutor


def squares(numbers):
    pool = ThreadPoolExecutor()
    jobs = [pool.submit(pow, number, 2) for number in numbers]
    found = [job.result() for job in jobs]
    pool.shutdown()
    return found


print(squares([1, 2, 3]))
