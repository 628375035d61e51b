import asyncio


async def save() -> None:
    await asyncio.sleep(1)
    print("saved")


async def main() -> None:
    asyncio.create_task(save())  # here
    await asyncio.sleep(2)


if __name__ == "__main__":
    asyncio.run(main())
