"""What `tasks` measures, in Python: asyncio, and gevent and greenlet where they are installed.

Arguments: rounds, tasks spawned at once, switches. Prints nanoseconds and a name for each; `tasks` calls it."""
import asyncio, statistics, sys, time

ROUNDS, SPAWNED, COUNT = map(int, sys.argv[1:])


def show(name, count, body):
    body()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter_ns()
        body()
        times.append((time.perf_counter_ns() - start) / count)
    print(f"{statistics.median(times):.0f} {name}", flush=True)


async def yield_only(count):
    for _ in range(count):
        await asyncio.sleep(0)


async def switch():
    await asyncio.gather(yield_only(COUNT // 2), yield_only(COUNT // 2))


async def spawn():
    tasks = [asyncio.create_task(asyncio.sleep(0)) for _ in range(SPAWNED)]
    for task in tasks:
        await task


show("asyncio: sleep(0) between two tasks", COUNT, lambda: asyncio.run(switch()))
show("asyncio: spawn + yield + join", SPAWNED, lambda: asyncio.run(spawn()))

try:
    import greenlet

    def switch_back():
        main = greenlet.getcurrent().parent
        while True:
            main.switch()

    def switch_greenlets():
        other = greenlet.greenlet(switch_back)
        for _ in range(COUNT // 2):
            other.switch()

    show("greenlet: switch", COUNT, switch_greenlets)
except ImportError:
    pass

try:
    import gevent

    def spawn_greenlets():
        gevent.joinall([gevent.spawn(gevent.sleep, 0) for _ in range(SPAWNED)])

    show("gevent: spawn + yield + join", SPAWNED, spawn_greenlets)
except ImportError:
    pass
