#!/usr/bin/env python3
"""Starts children with asyncio and waits for their ends, all at once and one after the other. See `processes`."""
import asyncio, sys, time

program, count = sys.argv[1], int(sys.argv[2])
null = asyncio.subprocess.DEVNULL


async def child():
    process = await asyncio.create_subprocess_exec(program, stdin=null, stdout=null, stderr=null)
    if await process.wait() != 0: sys.exit(1)


async def at_once(count):
    await asyncio.gather(*(child() for _ in range(count)))


async def in_turn(count):
    for _ in range(count): await child()


asyncio.run(at_once(count))
for name, run in (("Python asyncio", at_once), ("Python asyncio, one by one", in_turn)):
    start = time.monotonic()
    asyncio.run(run(count))
    print(round((time.monotonic() - start) * 1e9), name)
