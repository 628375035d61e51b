import asyncio
import time


async def main() -> None:
    time.sleep(1)  # here
    print("done")


if __name__ == "__main__":
    asyncio.run(main())
