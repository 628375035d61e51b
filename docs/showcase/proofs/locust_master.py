"""locust 2.47.0: `MasterRunner.quit()` leaves its port bound, so that the next test of the program cannot start.

A program uses locust as a library and runs two distributed tests one after the other, each with a master on the same
port; `quit()` is called in between.
"""

from __future__ import annotations

import socket
import subprocess
import sys

REQUIREMENTS = ("locust==2.47.0",)
LIMIT = 60  # seconds for the whole program


def program(port: int, mended: bool) -> None:
    from locust.env import Environment
    from locust.runners import MasterRunner

    class MendedRunner(MasterRunner):
        def quit(self) -> None:
            super().quit()
            self.server.close(linger=1000)  # ms for what is still to be sent to the workers

    for test in (1, 2):
        runner = (MendedRunner if mended else MasterRunner)(Environment(), "127.0.0.1", port)
        print("test", test, "has a master", flush=True)
        runner.quit()
    print("all tests done", flush=True)


def main() -> int:
    seen = []
    for name, mended in (("BEFORE", False), ("AFTER", True)):
        with socket.create_server(("127.0.0.1", 0)) as sock:
            port = sock.getsockname()[1]
        command = [sys.executable, __file__, str(port), "mended" if mended else "released"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
        print(f"{name}: two tests, one after the other", *done.stdout.splitlines(), sep="\n  ")
        if done.returncode:
            print(f"  {done.stderr.splitlines()[-1]}".replace(str(port), "PORT"))
        seen.append((done.returncode, "already in use" in done.stderr))
    return 0 if seen == [(1, True), (0, False)] else 1


if __name__ == "__main__":
    if sys.argv[1:]:
        program(int(sys.argv[1]), sys.argv[2] == "mended")
    else:
        sys.exit(main())
