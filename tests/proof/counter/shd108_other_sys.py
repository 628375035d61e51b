"""`sys` is a parameter here."""

#| reason = "`sys` means something else here"


def check(sys):
    if not sys:
        exit(3)


check([])
