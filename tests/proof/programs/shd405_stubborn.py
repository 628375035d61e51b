"""A supervisor whose child ignores SIGTERM."""

#| shows = "the wait never ends"
#| unsafe = true
#| [[run]]
#| before = { hang = true, out = "child started" }
#| after = { out = "child started\nchild ended: True" }

import subprocess

STUBBORN = "trap '' TERM; echo child started; while :; do sleep 1; done"


class Supervisor:
    def __init__(self, command):
        self._child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        print(self._child.stdout.readline(), end="", flush=True)

    def stop(self):
        self._child.terminate()
        self._child.wait()
        print("child ended:", self._child.returncode is not None, flush=True)


print("ready", flush=True)
Supervisor(["sh", "-c", STUBBORN]).stop()
