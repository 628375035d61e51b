import asyncio


async def save() -> None:
    await asyncio.sleep(1)
    print("saved")


async def main() -> None:
    task = asyncio.create_task(save())
    await task


if __name__ == "__main__":
    asyncio.run(main())
