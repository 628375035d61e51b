import asyncio


async def wait_for(done: list[bool]) -> None:
    while not done:  # here
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    asyncio.run(wait_for([True]))
