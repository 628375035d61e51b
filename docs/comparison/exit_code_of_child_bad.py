import subprocess


def convert(path: str) -> None:
    subprocess.run(["gzip", path])  # here


if __name__ == "__main__":
    convert("x")
