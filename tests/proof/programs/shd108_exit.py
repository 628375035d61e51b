"""A tool that ends with a code for its caller. Run by `python -S`, as frozen programs are."""

#| shows = "the exit code, under `python -S` and in frozen programs"
#| [[run]]
#| flags = ["-S"]
#| before = { code = 1, out = "nothing to do", err = "NameError" }
#| after = { code = 3, out = "nothing to do" }
#| [[run]]
#| before = { code = 3, out = "nothing to do" }


def check(count):
    if count < 1:
        print("nothing to do", flush=True)
        exit(3)


check(0)
