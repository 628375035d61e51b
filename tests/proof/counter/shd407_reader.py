"""A thread reads the pipe: after `communicate()` it would find it closed."""

#| reason = ""

import subprocess
import sys
import threading

child = subprocess.Popen([sys.executable, "-c", "print('x' * 200000)"], stdout=subprocess.PIPE)
seen = []
reader = threading.Thread(target=lambda: seen.append(child.stdout.read()))
reader.start()
child.wait()
reader.join()
print(len(seen[0]))
