"""A prompt with an `exit` of its own: `sys.exit` would end the program instead of the menu."""

#| reason = ""

import sys


def exit(code):
    print("left the menu", code, sys.argv)


exit(0)
