import subprocess


def listing() -> bytes:
    child = subprocess.Popen(["ls", "-lR", "/"], stdout=subprocess.PIPE)
    out, _ = child.communicate()
    return out


if __name__ == "__main__":
    print(len(listing()))
