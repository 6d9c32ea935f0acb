"""What `lines` measures, with asyncio's readline. Arguments: rounds, lines, bytes of a line. Prints nanoseconds a line, and a name."""
import asyncio, socket, statistics, sys, threading, time

ROUNDS, COUNT, LENGTH = map(int, sys.argv[1:])
BATCH = (b"x" * LENGTH + b"\n") * 1000


def write(address):
    with socket.create_connection(address) as connection:
        left = COUNT
        while left > 0:
            connection.sendall(BATCH[:min(left, 1000) * (LENGTH + 1)])
            left -= 1000


async def read():
    done = asyncio.get_running_loop().create_future()

    async def serve(reader, writer):
        count, start = 0, time.thread_time_ns()
        while await reader.readline():
            count += 1
        assert count == COUNT
        done.set_result((time.thread_time_ns() - start) / COUNT)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    writer = threading.Thread(target=write, args=[server.sockets[0].getsockname()])
    writer.start()
    result = await done
    server.close()
    writer.join()
    return result


print(statistics.median(asyncio.run(read()) for _ in range(ROUNDS)), "asyncio: readline")
