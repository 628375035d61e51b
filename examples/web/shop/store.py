"""Connections of the shop."""

import asyncio
from contextlib import suppress

import asyncpg
import redis.asyncio


class RedisPool:
    def __init__(self):
        self._client = redis.asyncio.Redis(host="cache")

    async def refresh(self):
        await self._client.ping()

    async def close(self):
        with suppress(TimeoutError):
            await asyncio.wait_for(self._client.aclose(), 5)


class Database:
    def __init__(self, pool):
        self._pool = pool

    @classmethod
    async def connect(cls):
        return cls(await asyncpg.create_pool("postgresql://database/shop"))

    async def close(self):
        with suppress(TimeoutError):
            await asyncio.wait_for(self._pool.close(), 3)
