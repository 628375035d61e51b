def main() -> None:
    print("no configuration")
    exit(2)  # here


if __name__ == "__main__":
    main()
