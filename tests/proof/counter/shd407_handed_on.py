"""The child is handed on behind the wait: who gets it may want the pipe."""

#| reason = "handed to other code"

import subprocess


def show(child):
    print(child.args)


def export(command):
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    child.wait()
    out = child.stdout.read()
    show(child)
    return out


export(["true"])
