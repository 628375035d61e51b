import asyncio


async def wait_for(done: asyncio.Event) -> None:
    await done.wait()


async def main() -> None:
    done = asyncio.Event()
    done.set()
    await wait_for(done)


if __name__ == "__main__":
    asyncio.run(main())
