"""An echo server for the report: asyncio's protocols, which its documentation recommends for speed; with --uvloop on uvloop's loop."""
import argparse, asyncio, signal


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

    # A peer that does not read is not read from.
    def pause_writing(self):
        self.transport.pause_reading()

    def resume_writing(self):
        self.transport.resume_reading()


async def main(options):
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    loop.add_signal_handler(signal.SIGTERM, ended.set_result, None)
    if options.local:
        await loop.create_unix_server(Echo, options.local, backlog=1024)
        print("listening on", options.local, flush=True)
    else:
        server = await loop.create_server(Echo, options.host, options.port, backlog=1024)
        print("listening on %s:%d" % server.sockets[0].getsockname()[:2], flush=True)
    await ended


parser = argparse.ArgumentParser()
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--local", help="a local socket's path")
parser.add_argument("--uvloop", action="store_true")
options = parser.parse_args()
if options.uvloop:
    import uvloop
    uvloop.run(main(options))
else:
    asyncio.run(main(options))
