"""Somebody else waits."""

#| reason = ""

import subprocess


class Helper:
    def __init__(self):
        self.child = subprocess.Popen(["sleep", "60"])

    def stop(self):
        self.child.kill()

    def close(self):
        self.child.wait()


helper = Helper()
helper.stop()
helper.close()
