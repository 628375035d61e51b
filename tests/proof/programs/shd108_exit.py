"""A tool that ends with a code for its caller. Run by `python -S`, as frozen programs are."""


def check(count):
    if count < 1:
        print("nothing to do", flush=True)
        exit(3)


check(0)
