import asyncio


async def work() -> None:
    while True:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            print("cancelled")
            raise


async def main() -> None:
    await work()


if __name__ == "__main__":
    asyncio.run(main())
