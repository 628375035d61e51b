"""A child program: asked to end, given time, killed if need be, always waited for."""

import signal
import subprocess
import sys


def stop(child: "subprocess.Popen[bytes]", grace: float) -> None:
    child.terminate()
    try:
        child.wait(grace)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def main() -> int:
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(128 + signum))
    # in a session of its own, so that Ctrl-C reaches only this process
    child = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        print("ready", flush=True)
        return child.wait()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    finally:
        stop(child, grace=3)
        print("main: child ended by signal", -child.returncode)


if __name__ == "__main__":
    sys.exit(main())
