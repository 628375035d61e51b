"""The application: what the lifespan opens, it closes, in the opposite order."""

import asyncio
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from shop.store import Database, RedisPool


async def refresh(pool, stopping):
    while not stopping.is_set():
        await pool.refresh()
        await asyncio.sleep(1)


@asynccontextmanager
async def lifespan(app):
    stopping = asyncio.Event()
    database = await Database.connect()
    pool = RedisPool()
    task = asyncio.create_task(refresh(pool, stopping))
    try:
        yield {"database": database, "pool": pool}
    finally:
        stopping.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(task, 2)
        await pool.close()
        await database.close()


app = FastAPI(lifespan=lifespan)


@app.get("/health")
async def health():
    return {"status": "ok"}
