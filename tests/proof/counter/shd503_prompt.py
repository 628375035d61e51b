"""A prompt: Ctrl-C drops the line."""

#| reason = ""


def prompt():
    while True:
        try:
            print(eval(input("> ")))
        except KeyboardInterrupt:
            print()
