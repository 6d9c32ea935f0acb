"""What `coroutines` measures, in Python: one thing in a process of its own, warmed up.

Arguments: the measurement and how many. Prints nanoseconds of CPU time, or bytes, for each; or what is missing."""
import sys, time

MEASUREMENT, COUNT = sys.argv[1], int(sys.argv[2])


def nanoseconds(count, body):
    start = time.process_time_ns()
    body()
    return (time.process_time_ns() - start) / count


def private_memory():
    total = 0
    for line in open("/proc/self/smaps_rollup"):
        words = line.split()
        if words[0].startswith("Private_") and words[0] != "Private_Hugetlb:":
            total += int(words[1]) * 1024
    return total


def measure_greenlet():
    import greenlet

    def switch_back():
        main = greenlet.getcurrent().parent
        while True:
            main.switch()

    def switch(count):
        other = greenlet.greenlet(switch_back)
        for _ in range(count // 2):
            other.switch()

    switch(COUNT // 10)
    return nanoseconds(COUNT, lambda: switch(COUNT))


def measure_generator():
    def numbers():
        number = 0
        while True:
            yield number
            number += 1

    def steps(generator, count):
        total = 0
        for _ in range(count):
            total += next(generator)

    generator = numbers()
    steps(generator, COUNT // 10)
    return nanoseconds(COUNT, lambda: steps(generator, COUNT))


def measure_gevent_spawn():
    import gevent

    def give_way():
        gevent.joinall([gevent.spawn(gevent.sleep, 0) for _ in range(COUNT)])

    give_way()
    return nanoseconds(COUNT, give_way)


def measure_asyncio_spawn():
    import asyncio

    async def give_way():
        for task in [asyncio.create_task(asyncio.sleep(0)) for _ in range(COUNT)]:
            await task

    async def main():
        await give_way()
        start = time.process_time_ns()
        await give_way()
        return (time.process_time_ns() - start) / COUNT

    return asyncio.run(main())


def measure_gevent_sleepers():
    import gevent

    def sleeping(count):
        tasks = [gevent.spawn(gevent.sleep, 3600) for _ in range(count)]
        for _ in range(3):
            gevent.sleep(0)
        memory = private_memory()
        gevent.killall(tasks)
        return memory

    sleeping(1000)
    before = private_memory()
    return (sleeping(COUNT) - before) / COUNT


def measure_asyncio_sleepers():
    import asyncio

    async def sleeping(count):
        tasks = [asyncio.create_task(asyncio.sleep(3600)) for _ in range(count)]
        for _ in range(3):
            await asyncio.sleep(0)
        memory = private_memory()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return memory

    async def main():
        await sleeping(1000)
        before = private_memory()
        return (await sleeping(COUNT) - before) / COUNT

    return asyncio.run(main())


try:
    print(f"{globals()['measure_' + MEASUREMENT.replace('-', '_')]():.1f}")
except ImportError as error:
    print(f"missing: {error.name}")
