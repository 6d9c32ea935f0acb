"""What is measured, in the order of the page: an entry each."""
from measure import EVENT, IDLE, P50, P99, P999, RATE, Measure
from rival import Rival
from traced import Calls
from workload import Curves, Idle, OpenLoop, Program, Workload

MAIN = ("C libuv", "C epoll", "UV callbacks", "AsyncUV", "NIO handler", "NIOAsyncChannel", "tokio", "Boost.Asio", "Go", "Node",
        "asyncio", "uvloop", "gevent")
CLOSED = ("Each connection sends a message, waits for the whole echo, and sends the next; the server has a core of its own. ")
UDP = (Rival("UDP: C libuv", "{built}/udp-c-libuv", "C"), Rival("UDP: callbacks", "{built}/udp-uv-callbacks", "ours"),
       Rival("UDP: async", "{built}/udp-uv-async", "ours"))


def echo(key, title, connections, size, *more, in_quick=False, only=(), method=""):
    return Workload(key, title, CLOSED + method, ("--connections", connections, "--size", size, *more), connections=connections,
                    in_quick=in_quick, only=only)


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
             ("--connections", 50, "--size", 1024), only=MAIN, measures=(P99, P50, P999, RATE), most_rounds=3),
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
    Program("tasks", "Tasks, timers and wake-ups", "Time of one operation on a loop, and the same of asyncio, gevent and Go.",
            ("tasks", "--rounds", "{rounds}", "--python", "{python}", "--spawned", "20000", "--count", "50000"),
            "wake-up from another thread: a task", in_quick=True, quick_words=("--count", "10000", "--spawned", "5000")),
    Program("coroutines", "Coroutines", "CPU time of a step; each measurement is a process of its own. Memory is left to the table.",
            ("coroutines", "--rounds", "{rounds}", "--python", "{python}", "--count", "200000", "--spawned", "20000"),
            "Python's greenlet: switch"),
    Program("lines", "Lines", "CPU time of the reader's thread for a line of 40 bytes, system calls included.",
            ("lines", "--rounds", "{rounds}", "--count", "200000", "--python", "{python}"), "connection, chunks only"),
    Program("files", "Files that are in memory", "Random reads of 4 KiB, and a whole file, beside pread, libuv's pool in C, NIO and Node.",
            ("files", "--rounds", "{rounds}", "--count", "4000", "--cold", "0"), "uv_fs_read in C"),
    Program("trees", "Trees of files", "Copying and removing 2,000 small files beside cp -r and rm -rf.",
            ("trees", "--rounds", "{rounds}", "--files", "2000"), "cp -r", measures=(Measure("time", "time", "ms"),)),
    Program("processes", "Child processes", "50 children that do nothing, started and waited for, in milliseconds.",
            ("processes", "--rounds", "{rounds}", "--count", "50", "--python", "{python}"), "C libuv",
            measures=(Measure("time", "time", "ms"),)),
    Program("udp-sends", "Sending datagrams", "CPU time of the sender's thread for a datagram of 1 KiB, system calls included.",
            ("udp-sends", "--rounds", "{rounds}", "--groups", "1000"), "C"),
    Program("http", "HTTP requests", "Server CPU for a request of wrk's over 32 connections, beside NIO's HTTP.",
            ("http", "--only", "time", "--rounds", "{rounds}", "--seconds", "1", "--built", "{built}"), "http-hello-nio",
            measures=(Measure("time", "server CPU a request", "µs"),), needs=("wrk",)),
    Program("files-nginx", "A file server beside nginx", "Server CPU for a request of wrk's for a file, over 32 connections.",
            ("file-server-beside-nginx", "--rounds", "{rounds}", "--seconds", "1"), "nginx, 1,400 bytes",
            measures=(Measure("time", "server CPU a request", "µs"),), needs=("wrk", "nginx")),
    Program("resp", "A key-value server beside redis-server", "Server CPU for a command of redis-benchmark's on 50 connections; -P 16 "
            "sends sixteen at once.", ("resp", "--rounds", "{rounds}", "--count", "50000"), "redis-server, get",
            measures=(Measure("time", "server CPU a command", "µs"),), needs=("redis-server", "redis-benchmark")),
    Program("tls", "TLS", "Server CPU for a handshake of TLS 1.3 with P-256, and for an echo of 64 KiB on 16 connections; memory is left "
            "to the script.", ("tls", "--rounds", "{rounds}", "--folder", "{built}", "--connections", "300", "--echoes", "1600"),
            "echo-c-tls, handshake", measures=(Measure("time", "server CPU", "µs"),)),
]
