"""What is measured, in the order of the page: an entry each."""
from measure import EVENT, IDLE, P50, P99, P999, RATE, Measure
from rival import Rival
from traced import Calls
from workload import Curves, Idle, OpenLoop, Program, Workload

MAIN = ("C libuv", "C epoll", "UV callbacks", "AsyncUV", "NIO handler", "NIOAsyncChannel", "FlyingSocks", "tokio", "Boost.Asio", "Go", "Node",
        "asyncio", "uvloop", "gevent")
CLOSED = ("Each connection sends a message, waits for the whole echo, and sends the next; the server has a core of its own. ")
UDP = (Rival("UDP: C libuv", "{built}/udp-c-libuv", "C"), Rival("UDP: callbacks", "{built}/udp-uv-callbacks", "ours"),
       Rival("UDP: async", "{built}/udp-uv-async", "ours"))

LOCAL = (Rival("local: C libuv", "{built}/echo-c-libuv --local {local}", "C"), Rival("local: callbacks", "{built}/echo-uv-callbacks --local {local}", "ours"),
         Rival("local: AsyncUV", "{built}/echo-uv-async --local {local}", "ours"), Rival("local: tokio", "{peers}/echo-tokio --local {local}"),
         Rival("local: Go", "{peers}/echo-go --local {local}"), Rival("local: asyncio", "{python} {sources}/python/echo_asyncio.py --local {local}"),
         Rival("local: uvloop", "{python} {sources}/python/echo_asyncio.py --uvloop --local {local}", module="uvloop"))
LOOPS = tuple(Rival(f"{name}: {count}", f"{command} {count}", group) for name, command, group in (
    ("C libuv, loops", "{built}/echo-c-libuv --loops", "C"), ("AsyncUV, loops", "{built}/echo-uv-async --loops", "ours"),
    ("tokio, threads", "{peers}/echo-tokio --threads", "other"), ("Go, processors", "{peers}/echo-go --processors", "other"))
    for count in (1, 2))


def echo(key, title, connections, size, *more, in_quick=False, only=(), method=""):
    return Workload(key, title, CLOSED + method, ("--connections", connections, "--size", size, *more), connections=connections,
                    in_quick=in_quick, only=only)


PROCESS = "CPU time of a step; each measurement is a process of its own."
COLD = ("Random reads of 4 KiB, one at a time, by the clock; before each the file is dropped from memory (posix_fadvise). A virtual machine's host may "
        "have it all the same.")
READS = "Random reads of a file that is in memory."
NGINX = "Server CPU for a request of wrk's for a file, over 32 connections; both with their timeouts."
REDIS = "Server CPU for a command of redis-benchmark's on 50 connections; -P 16 sends sixteen at once."


class Part:
    """A chart of a program that measures several things."""

    def __init__(self, key, title, method, baseline, **more):
        self.fields = {"key": key, "title": title, "method": method, "baseline": baseline, **more}


def parts(words, *charts, **common):
    return [Program(words=words, **{**common, **chart.fields}) for chart in charts]


WORKLOADS = [
    echo("echo-1KiB-50", "Echo: 50 connections, 1 KiB", 50, 1024, in_quick=True),
    echo("echo-1-1", "Echo: one connection, one byte", 1, 1, in_quick=True,
         method="With one connection a server sleeps before each message: what is measured is waking up."),
    echo("echo-64KiB-16", "Echo: 16 connections, 64 KiB", 16, 65_536),
    echo("echo-64B-1000", "Echo: 1,000 connections, 64 bytes", 1000, 64, only=MAIN + ("poll", "epoll-level", "epoll-edge", "select")),
    echo("bursts", "Bursts: 16 messages of 64 bytes in one piece", 50, 64, "--pipeline", 16, "--together", only=MAIN,
         method="A request is a message: 16 come by one call, as from clients that pipeline."),
    Workload("visits", "Connect, one byte, close", "One connection after the other, each with one message of one byte; the cost of "
             "accepting and closing counts.", ("--visits", "--size", 1), in_quick=False),
    OpenLoop("open-loop", "Latency when messages fall due at a rate",
             "Messages of 1 KiB fall due evenly, at 30, 60 and 90 % of what the same server did in a closed loop just before; a latency "
             "begins when its message was due, so that a stall cannot hide those it kept waiting (no coordinated omission).",
             ("--connections", 50, "--size", 1024), only=MAIN, measures=(P99, P50, P999, RATE)),
    Curves("curves", "An event beside idle connections",
           "One connection echoes 64 bytes, one message after the other, beside idle ones that the server watches too; the cost is "
           "the CPU time of the server's process for one message.",
           measures=(EVENT,), client="one-busy", most_rounds=3,
           only=("UV callbacks", "AsyncUV", "select", "poll", "epoll-level", "C libuv"), in_quick=False),
    Idle("idle", "Memory of an idle connection",
         "Private memory of the server's process, for each of 2,000 connections opened at once, after one echo of 1 KiB, less what it "
         "had with the first 50.", ("--connections", 2000), client="idle", only=MAIN, most_rounds=3, in_quick=True,
         measures=(IDLE, Measure("silent", "private memory before the first byte", "B"))),
    Calls("calls", "System calls of an echo", "Counted by strace for messages of 1 KiB on one connection, one after the other: the difference "
          "of a run of 400 and one of 100. Such counts do not move with the machine's noise.", client="strace", most_rounds=1,
          in_quick=True, measures=(Measure("calls", "system calls a message", ""),)),
    Program("instructions", "Instructions of an echo", "User-land instructions and calls of allocators for an echoed KiB, counted by callgrind.",
            ("instructions",), "echo-c-libuv", measures=(Measure("instructions", "instructions a message", ""),
                                                         Measure("mallocs", "allocations a message", "")),
            needs=("valgrind",), is_long=True),
    Workload("udp", "Echo of datagrams", "50 sockets, a datagram of 1 KiB under way on each.",
             ("--connections", 50, "--size", 1024, "--udp"), own=UDP),
    Workload("local", "Echo over a local socket: 50 connections, 1 KiB", CLOSED, ("--connections", 50, "--size", 1024), connections=50, own=LOCAL,
             in_quick=True),
    Workload("loops", "One loop and two: 50 connections, 1 KiB", "The server may have both cores, and the load keeps the second one busy: what is measured is the "
             "price of a second loop, not how far it carries.", ("--connections", 50, "--size", 1024), connections=50, own=LOOPS, spreads=True),
    *parts(("tasks", "--rounds", "{rounds}", "--python", "{python}", "--spawned", "20000", "--count", "50000"),
           Part("tasks-switch", "A switch between two tasks", "Two tasks of one loop that take turns.", "a switch on a bare ring",
                rows=("switch between two tasks", "a switch on a bare ring", "greenlet: switch")),
           Part("tasks-yield", "Giving way", "`Task.yield` between two tasks, and what others have for it.", "a yield on a bare ring",
                rows=("Task.yield between two tasks", "a yield on a bare ring", "asyncio: sleep(0) between two tasks")),
           Part("tasks-spawn", "A task that is made, gives way, and is waited for", "The whole life of a short task.",
                "spawn + yield + join on a bare ring",
                rows=("spawn + yield + join, in a group", "spawn + yield + join, loop.spawn", "spawn + yield + join on a bare ring",
                      "asyncio: spawn + yield + join", "gevent: spawn + yield + join", "Go: spawn + yield + join")),
           Part("tasks-wake-up", "A wake-up from another thread", "From the call until the loop's thread has seen it.", "uv_async_send in C",
                rows=("wake-up from another thread: a task", "uv_async_send in C")),
           Part("tasks-timeout", "A timeout that is not needed", "Around a body that returns at once.", "one child task in a group",
                rows=("withTimeout that is not needed", "one child task in a group", "Go: context.WithTimeout that is not needed")),
           Part("tasks-channel", "An element through a channel", "From one task to another; with room for none, and for 64.",
                "element through an AsyncChannel of swift-async-algorithms",
                rows=("element through a Channel, between two tasks", "element through a Channel with room for 64",
                      "element through an AsyncChannel of swift-async-algorithms", "Go: element through a channel with room for 0",
                      "Go: element through a channel with room for 64")),
           in_quick=True, quick_words=("--count", "10000", "--spawned", "5000")),
    *parts(("coroutines", "--rounds", "{rounds}", "--python", "{python}", "--count", "200000", "--spawned", "20000"),
           Part("greenlets", "Greenlets: a switch", PROCESS, "Python's greenlet", part=": switch"),
           Part("generators", "Generators: the next element", PROCESS, "Python's generator", part=": next"),
           Part("green-tasks", "Green tasks: spawned, asleep for no time, joined", PROCESS, "gevent", part=": spawn + sleep(0) + join"),
           Part("green-memory", "Green tasks: memory of one that sleeps", PROCESS, "gevent", part=": memory of a sleeping task",
                measures=(Measure("memory", "memory", "B"),))),
    Program("lines", "Lines", "CPU time of the reader's thread for a line of 40 bytes, system calls included.",
            ("lines", "--rounds", "{rounds}", "--count", "200000", "--python", "{python}"), "connection, chunks only"),
    *parts(("files", "--rounds", "{rounds}", "--count", "4000", "--cold", "0"),
           Part("files-1", "Files in memory, 4 KiB, one read at a time", READS, "pread", part="one at a time: "),
           Part("files-8", "Files in memory, 4 KiB, 8 reads at a time", READS, "uv_fs_read in C", part="8 at a time: "),
           Part("files-64", "Files in memory, 4 KiB, 64 reads at a time", READS, "uv_fs_read in C", part="64 at a time: "),
           Part("files-whole", "A whole file of 4 KiB in memory", "Opened, read to its end and closed, one after the other.",
                "open, fstat, read, close", part="whole file of 4 KiB: "),
           Part("files-cold", "Files not in memory, 4 KiB, one read at a time", COLD, "pread", part="cold: ")),
    Program("contrast", "A timer beside a slow disk, four ways", "A timer should tick every 5 ms while a file that is not in memory is read, or one is written with "
            "fsync, in steps that take four ticks each: by a callback of the loop, after asking select or poll whether the file is ready, which it always is, and "
            "in libuv's pool. epoll refuses files.", ("contrast", "--rounds", "9"), "",
            measures=(Measure("mean", "mean delay of a tick", "ms"), Measure("most", "longest delay", "ms"), Measure("late", "ticks late", "%")),
            rows=("blocking calls on the loop", "readiness: select, then a call", "readiness: poll, then a call", "libuv's thread pool")),
    *parts(("trees", "--rounds", "{rounds}", "--files", "2000"),
           Part("trees-copy", "Copying a tree", "2,000 small files, in milliseconds.", "cp -r", rows=("cp -r", "TreeRequest.copy")),
           Part("trees-remove", "Removing a tree", "2,000 small files, in milliseconds.", "rm -rf", rows=("rm -rf", "TreeRequest.remove")),
           measures=(Measure("time", "time", "ms"),)),
    Program("processes", "Child processes", "50 children that do nothing, started and waited for, in milliseconds.",
            ("processes", "--rounds", "{rounds}", "--count", "50", "--python", "{python}"), "C libuv",
            measures=(Measure("time", "time", "ms"),)),
    Program("udp-sends", "Sending datagrams", "CPU time of the sender's thread for a datagram of 1 KiB, system calls included.",
            ("udp-sends", "--rounds", "{rounds}", "--groups", "1000"), "C: uv_udp_try_send"),
    Program("http", "HTTP requests", "Server CPU for a request of wrk's over 32 connections, beside NIO's HTTP.",
            ("http", "--only", "time", "--rounds", "{rounds}", "--seconds", "1", "--built", "{built}"), "http-hello-nio",
            rows=("http-hello", "http-hello-nio"), measures=(Measure("time", "server CPU a request", "µs"),), needs=("wrk",)),
    *parts(("file-server-beside-nginx", "--rounds", "{rounds}", "--seconds", "1"),
           Part("files-nginx-small", "A file server beside nginx: 1,400 bytes", NGINX, "nginx", part=", 1,400 bytes"),
           Part("files-nginx-large", "A file server beside nginx: 1 MiB", NGINX, "nginx", part=", 1,048,576 bytes"),
           measures=(Measure("time", "server CPU a request", "µs"),), needs=("wrk", "nginx")),
    *parts(("resp", "--rounds", "{rounds}", "--count", "50000"),
           *(Part(f"resp-{name.replace(' -P ', '-')}", f"A key-value server beside redis-server: {name}", REDIS, "redis-server", part=f", {name}")
             for name in ("get", "set", "get -P 16", "set -P 16")),
           measures=(Measure("time", "server CPU a command", "µs"),), needs=("redis-server", "redis-benchmark")),
    *parts(("tls", "--rounds", "{rounds}", "--folder", "{built}", "--connections", "300", "--echoes", "1600"),
           Part("tls-handshake", "TLS: a handshake", "Server CPU for a handshake of TLS 1.3 with P-256. SwiftNIO brings BoringSSL, whose handshake is "
                "quicker than that of the system's OpenSSL.", "echo-c-tls", part=", handshake"),
           Part("tls-echo", "TLS: an echo of 64 KiB", "Server CPU for an echo of 64 KiB, on 16 connections.", "echo-c-tls", part=", 64 KiB"),
           Part("tls-idle", "TLS: memory of an idle connection", "Private memory of the server's process for each of 300 connections.",
                "echo-c-tls", part=", idle", measures=(IDLE,)),
           measures=(Measure("time", "server CPU", "µs"),)),
]
