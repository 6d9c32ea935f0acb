"""Why a row is behind, by workload and name, or by measure and name for what all workloads share. The page shows these beside the
ratios, and counts those whose cause, or part of it, is not known: they say "not yet explained". A reason is measured or read in
the code of both, never guessed."""

UNEXPLAINED = "not yet explained"

CHUNK = ("A task is suspended and resumed for each message: some 3,600 instructions of its own for an echoed KiB where callbacks have 870; "
         "the kernel's part is the same.")
POOL = "Through libuv's pool, as `uv_fs_read in C`: a change of threads there and back."
NIO_THREADS = " NIO's threads answer sooner than libuv's, C's way through them included: not yet explained."
RUNTIME = "As on a bare ring: what Swift's runtime takes for a task."
CALLS = "One wait, one read, one write, as in C. Go reads and writes first, and waits only when it must. Why FlyingSocks has fewer is not yet explained."
STALLS = ("Not yet explained, and not to be told from noise: in windows of 0.35 s C on libuv has a p99 of 0.05 ms in one round at 30 %, and of 9.8 in another. "
          "Runs from now on have five rounds of 2 s.")
LINE_ARRAY = ("An array is allocated for each line, as Go allocates a string. What else the 40 ns are between the two is not yet explained; `file.byteLines()`, with the "
              "same search, takes 66.")
LINE_TEXT = ("A quarter of it is the text: the same bytes by `byteLines()` take 99 ns. Swift checks that they are UTF-8, Go does not. `file.lines()`, with the same "
             "search and text, takes 74; what else a connection's line costs is not yet explained.")
PROGRAM = ("It is the program rather than its connections: the servers of Readiness, in Swift without libuv's loop, have 13 MiB of it, and a connection adds 2 kB at most "
           "(see the memory of an idle one). The most that was ever resident is counted, pages of shared libraries included.")

EXPLANATIONS = {
    ("echo-1KiB-50", "UV callbacks"): "870 instructions of its own for an echoed KiB, where C on libuv has 712 and keeps one buffer for all reads.",
    ("echo-1KiB-50", "AsyncUV"): CHUNK,
    ("echo-1-1", "AsyncUV"): CHUNK,
    ("echo-64KiB-16", "UV callbacks"): "Not yet explained. Rounds of this chart are of two kinds, near 19 and near 40 µs, in C as well.",
    ("echo-64KiB-16", "AsyncUV"): "The change of tasks for each chunk, some 0.6 µs in the echo of 1 KiB. The rest, which callbacks have as well, is not yet explained.",
    ("echo-64B-1000", "UV callbacks"): "C on libuv is behind Boost.Asio in each of the same rounds. What Boost.Asio and tokio do better there is not yet explained.",
    ("echo-64B-1000", "AsyncUV"): "As with 1 KiB, of smaller messages. It is not the number of connections: in one run the ratio was 1.17 with 100 of them, and 1.13 "
                                  "with 400 and with 1,000. What Boost.Asio and tokio do better than C on libuv there is not yet explained.",
    ("bursts", "AsyncUV"): "A task is suspended and resumed for a burst: 0.6 µs, as in the echo of 1 KiB, for 16 messages.",
    ("visits", "AsyncUV"): "A connection is a task, an object and a stream more than C's handle, all made and freed for one byte.",
    ("visits", "UV callbacks"): "A handle, its object and its closures are made and freed for one byte.",
    ("open-loop", "UV callbacks"): STALLS,
    ("open-loop", "AsyncUV"): STALLS,
    ("idle", "AsyncUV"): "A connection is a task that waits: its frames, the stream and the connection's object, 1.5 kB together, beside libuv's handle. asyncio and "
                         "uvloop run a protocol, without a task.",
    ("idle", "UV callbacks"): "A Swift object and its closures beside libuv's handle of 264 bytes, which C on libuv has alone. C on epoll has no handle.",
    ("calls", "UV callbacks"): CALLS,
    ("calls", "AsyncUV"): CALLS,
    ("local", "local: AsyncUV"): "As over TCP; the kernel's part of a local socket is smaller, so that ours is a larger share.",
    ("loops", "AsyncUV, loops: 1"): "As with 1 KiB on one core.",
    ("loops", "AsyncUV, loops: 2"): "Each loop has its own connections and sleeps in between: 0.39 context switches a request, as in C with two loops (0.29), where one "
                                    "loop has 0.02. tokio's two threads have 0.09.",
    ("tasks-switch", "switch between two tasks"): "As on a bare ring: what Swift's runtime takes to resume a task.",
    ("tasks-spawn", "spawn + yield + join, in a group"): RUNTIME,
    ("tasks-spawn", "spawn + yield + join, loop.spawn"): RUNTIME,
    ("tasks-timeout", "withTimeout that is not needed"): "The body gets a task of its own, which an entry of the timers cancels.",
    ("tasks-channel", "element through a Channel, between two tasks"): "Each element changes the task twice, at 200 ns; Go changes goroutines in 50.",
    ("tasks-channel", "element through a Channel with room for 64"): "Both tasks are changed once for 64 elements; the rest is a turn's count and the ring.",
    ("generators", "Generator"): "The body is a task of Swift's on an executor that runs it at once; the same task without a generator around it costs as "
                                 "much (a bare inline executor). Python's generators resume a frame of the interpreter.",
    ("green-memory", "Green"): "A task of Swift's with its first kilobyte, and its entry among those that sleep.",
    ("lines", "connection.lines()"): LINE_TEXT,
    ("lines", "connection.readLine()"): LINE_TEXT,
    ("lines", "connection.byteLines()"): LINE_ARRAY,
    ("lines", "connection.readUntil(LF)"): LINE_ARRAY,
    ("lines", "connection.withBytes, a line each"): "The measured closure looks at one byte after the other, and is called once for a line. Go's scanner searches with "
                                                    "`bytes.IndexByte`, which is written with vector instructions.",
    ("files-1", "File.read"): "An array for the bytes, and the look whether they are in memory, beside the same system call.",
    ("files-1", "FileRequest.read"): POOL + NIO_THREADS,
    ("files-1", "File.read, fast path off"): POOL + " On purpose: with the fast path the loop reads what is in memory." + NIO_THREADS,
    ("files-64", "File.read, fast path off"): "The trip is `FileRequest.read`, which is level with C. The rest is a task that is suspended and resumed for each read, and the object "
                                              "that waits for its end.",
    ("files-whole", "FileSystem.readFile"): "It asks which volume the file is on, since only local ones may be read on the loop, and makes the array.",
    ("files-whole", "FileSystem.readFile, fast path off"): "One trip through libuv's pool on purpose; C's way through the pool takes four, one for each call.",
    ("files-cold", "File.read"): "It asks first whether the bytes are in memory, and then takes the way through libuv's pool, as `uv_fs_read in C`: a change of "
                                 "threads there and back.",
    ("files-cold", "FileRequest.read"): POOL,
    ("files-nginx-small", "file-server"): "Our own code: a request as small as that is some 13,740 instructions outside the kernel (docs/NUMBERS.md).",
    ("files-nginx-large", "file-server"): "Nearly nginx's system calls, one sendfile for the file among them, which is 70 % of the time in both (perf). 19 % is code of ours, "
                                          "where nginx has 11 %.",
    ("tls-handshake", "echo-uv-tls"): "OpenSSL's handshake takes longer than BoringSSL's, which SwiftNIO brings.",
    ("tls-echo", "echo-uv-tls"): "C on the same OpenSSL, without libuv, is behind NIOSSL, too. Whether that is BoringSSL's ciphers or NIO's way of reading is not yet explained. "
                                 "The clock counts steps of 6 µs here.",
    ("tls-idle", "echo-uv-tls"): "OpenSSL's state of a connection is 14 kB, as in C; the task and the stream are 4.",
    ("resident", "UV callbacks"): PROGRAM,
    ("resident", "AsyncUV"): PROGRAM,
}


def reason(behind):
    return EXPLANATIONS.get(behind.key, "Not yet explained.")


def is_unexplained(text):
    return UNEXPLAINED in text.lower()
