def save(text: str) -> None:
    with open("result.txt", "w", encoding="utf-8") as out:
        out.write(text)


if __name__ == "__main__":
    save("x")
