"""Somebody kills the child when it is late."""

#| reason = ""

import subprocess
import threading

child = subprocess.Popen(["sleep", "60"])
timer = threading.Timer(5, child.kill)
timer.start()
child.terminate()
child.wait()
timer.cancel()
