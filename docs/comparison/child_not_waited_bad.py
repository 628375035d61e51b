import subprocess


def convert(path: str) -> None:
    subprocess.Popen(["gzip", path])  # here
    print("started")


if __name__ == "__main__":
    convert("x")
