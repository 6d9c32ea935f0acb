"""An echo server for the report: gevent's StreamServer, a greenlet for each connection, as in its documentation."""
import argparse, signal, socket, gevent
from gevent.server import StreamServer


def echo(connection, address):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while data := connection.recv(65536):
            connection.sendall(data)
    except OSError:
        pass
    finally:
        connection.close()


parser = argparse.ArgumentParser()
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, default=0)
options = parser.parse_args()
server = StreamServer((options.host, options.port), echo, backlog=1024)
gevent.signal_handler(signal.SIGTERM, server.stop)
server.start()
print("listening on %s:%d" % server.address[:2], flush=True)
server.serve_forever()
