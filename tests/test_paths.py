"""Shutdown paths: their parts, the limits of their waits, and what they cost."""

from __future__ import annotations

import textwrap

from shutdown_lint.lower import lower_module
from shutdown_lint.project import Project
from shutdown_lint.project.paths import Path, paths
from shutdown_lint.project.step import Step, leaves


def path_of(source: str, trigger: str = "SIGTERM") -> Path:
    facts = lower_module(textwrap.dedent(source), path="app.py", name="app", is_package=False, digest="")
    found = [path for path in paths(Project([facts])) if path.trigger == trigger]
    assert len(found) == 1, found
    return found[0]


def shown(found: tuple[Step, ...]) -> list[tuple[str, str, float | None]]:
    return [(step.kind, step.text, step.limit) for step, _ in leaves(found)]


FLAG = """
    import signal, threading, time, subprocess, atexit

    stop = threading.Event()
    GRACE = 20

    def on_term(signum, frame):
        stop.set()

    def work():
        while not stop.wait(1):
            pass

    def save():
        time.sleep(3)

    def main():
        atexit.register(save)
        signal.signal(signal.SIGTERM, on_term)
        child = subprocess.Popen(["redis"])
        threads = [threading.Thread(target=work) for _ in range(4)]
        try:
            while not stop.is_set():
                time.sleep(1)
        finally:
            child.terminate()
            try:
                child.wait(timeout=GRACE)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            for thread in threads:
                thread.join(5)

    if __name__ == "__main__":
        main()
"""


def test_a_flag_ends_the_loop_and_main_goes_on() -> None:
    path = path_of(FLAG)
    assert path.complete
    assert [part.why for part in path.parts] == [
        "`on_term` handles SIGTERM",
        "the loop in `main` ends its round",
        "`main` goes on",
        "atexit runs `save`",
    ]
    assert shown(path.steps) == [
        ("tell", "stop.set()", 0.0),
        ("wait", "time.sleep(1)", 1.0),
        ("stop", "child.terminate()", 0.0),
        ("wait", "child.wait(…)", 20.0),
        ("stop", "child.kill()", 0.0),
        ("wait", "child.wait()", 0.0),
        ("wait", "thread.join(5)", 5.0),
        ("wait", "time.sleep(3)", 3.0),
    ]


def test_the_cost_adds_up_what_is_known() -> None:
    found = path_of(FLAG).cost
    assert found.seconds == 28.0
    assert [(step.text, limit, times) for step, limit, times in found.counted] == [
        ("child.wait(…)", 20.0, 1),
        ("thread.join(5)", 5.0, 1),
        ("time.sleep(3)", 3.0, 1),
    ]
    assert [step.kind for step in found.open] == ["loop"]
    assert found.endless == ()


def test_an_exit_that_is_raised_unwinds_what_is_around_the_stay() -> None:
    path = path_of("""
        import signal, sys, time
        from concurrent.futures import ThreadPoolExecutor

        def on_term(signum, frame):
            sys.exit(143)

        def serve(pool, log):
            try:
                while True:
                    time.sleep(1)
            finally:
                log.close()

        def main():
            signal.signal(signal.SIGTERM, on_term)
            with ThreadPoolExecutor() as pool:
                serve(pool, open("log", "w"))
            time.sleep(9)

        if __name__ == "__main__":
            main()
        """)
    assert shown(path.steps) == [
        ("exit", "sys.exit(143)", 0.0),
        ("release", "log.close()", 0.0),
        ("wait", "end of `with ThreadPoolExecutor()`", None),
    ]
    assert path.complete


def test_groups_limits_branches_and_loops() -> None:
    path = path_of("""
        import asyncio, signal, time

        class Service:
            def __init__(self, timeout=12):
                self.timeout = timeout
                self.done = asyncio.Event()

            async def drain(self):
                await asyncio.sleep(7)

            async def flush(self):
                await asyncio.sleep(4)

            async def close(self, fast):
                await asyncio.gather(self.drain(), self.flush())
                await asyncio.wait_for(self.drain(), self.timeout)
                async with asyncio.timeout(2):
                    await self.done.wait()
                if fast:
                    await asyncio.sleep(1)
                else:
                    await asyncio.sleep(10)
                for _ in range(3):
                    await asyncio.sleep(2)

        async def main():
            service = Service()
            stop = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
            await stop.wait()
            await service.close(False)

        if __name__ == "__main__":
            asyncio.run(main())
        """)
    found = path.cost
    assert path.complete
    assert found.seconds == 7 + 7 + 2 + 10 + 6
    assert [step.text for step, _, _ in found.counted][-1] == "asyncio.sleep(2)"


def test_recursion_and_generators_end() -> None:
    path = path_of("""
        import signal, time

        def again(n):
            time.sleep(1)
            again(n - 1)

        def lines():
            time.sleep(5)
            yield 1

        def on_term(signum, frame):
            lines()
            again(3)
            raise SystemExit

        def main():
            signal.signal(signal.SIGTERM, on_term)

        main()
        """)
    assert shown(path.steps) == [("wait", "time.sleep(1)", 1.0), ("raise", "SystemExit", 0.0)]
    assert not path.complete


def test_a_program_without_handlers_ends() -> None:
    path = path_of(
        """
        import threading, time

        def main(worker: threading.Thread):
            try:
                while True:
                    time.sleep(1)
            except KeyboardInterrupt:
                print("bye")
            worker.join(4)

        if __name__ == "__main__":
            main(threading.Thread(target=print))
        """,
        "end",
    )
    assert shown(path.steps) == [("wait", "worker.join(4)", 4.0)]
