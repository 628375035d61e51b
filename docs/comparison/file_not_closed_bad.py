def save(text: str) -> None:
    out = open("result.txt", "w", encoding="utf-8")  # here
    out.write(text)


if __name__ == "__main__":
    save("x")
