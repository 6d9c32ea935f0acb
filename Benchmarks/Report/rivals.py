"""Who is measured: a line each. A further one is a file in Peers and a line here; it prints `listening on HOST:PORT` and ends on SIGTERM."""
from rival import Rival

SWIFT = "swift build -c release --package-path Benchmarks"
BASELINE = "C libuv"

RIVALS = [
    Rival(BASELINE, "{built}/echo-c-libuv", "C", SWIFT),
    Rival("C epoll", "{built}/echo-c-epoll", "C", SWIFT),
    Rival("UV callbacks", "{built}/echo-uv-callbacks", "ours", SWIFT),
    Rival("AsyncUV", "{built}/echo-uv-async", "ours", SWIFT),
    Rival("blocking", "{built}/echo-readiness blocking", "model", SWIFT, limit=1),
    Rival("process", "{built}/echo-readiness process", "model", SWIFT, is_one_process=False, limit=200),
    Rival("thread", "{built}/echo-readiness thread", "model", SWIFT, limit=1000),
    Rival("nonblocking", "{built}/echo-readiness nonblocking", "model", SWIFT),
    Rival("select", "{built}/echo-readiness select", "model", SWIFT, limit=1000),
    Rival("poll", "{built}/echo-readiness poll", "model", SWIFT),
    Rival("epoll-level", "{built}/echo-readiness epoll-level", "model", SWIFT),
    Rival("epoll-edge", "{built}/echo-readiness epoll-edge", "model", SWIFT),
    Rival("selector", "{built}/echo-readiness selector", "model", SWIFT),
    Rival("NIO handler", "{built}/echo-nio-handler", needs=SWIFT),
    Rival("NIOAsyncChannel", "{built}/echo-nio-async", needs=SWIFT),
    Rival("FlyingSocks", "{peers}/echo-flyingsocks"),
    Rival("tokio", "{peers}/echo-tokio"),
    Rival("Boost.Asio", "{peers}/echo-asio"),
    Rival("Go", "{peers}/echo-go"),
    Rival("Node", "node {sources}/node/echo-node.mjs"),
    Rival("asyncio", "{python} {sources}/python/echo_asyncio.py"),
    Rival("uvloop", "{python} {sources}/python/echo_asyncio.py --uvloop", module="uvloop"),
    Rival("gevent", "{python} {sources}/python/echo_gevent.py", module="gevent"),
]
