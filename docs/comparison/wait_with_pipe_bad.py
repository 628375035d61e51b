import subprocess


def listing() -> bytes:
    child = subprocess.Popen(["ls", "-lR", "/"], stdout=subprocess.PIPE)
    child.wait()  # here
    assert child.stdout
    return child.stdout.read()


if __name__ == "__main__":
    print(len(listing()))
