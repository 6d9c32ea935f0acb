"""Why a row is behind, by workload and name, or by name for all workloads. The page shows these beside the ratios."""

EXPLANATIONS = {
    "UV callbacks": "870 instructions of its own for an echoed KiB, where C on libuv has 712 and keeps one buffer for all reads.",
    "AsyncUV": "A task is suspended and resumed for each message: some 3,600 instructions of its own for an echoed KiB where callbacks "
               "have 870; the kernel's part is the same.",
    ("echo-64B-1000", "AsyncUV"): "As with 1 KiB, of smaller messages. It is not the number of connections: in one run the ratio was 1.17 with 100 of them, and 1.13 "
                                  "with 400 and with 1,000.",
    ("local", "local: AsyncUV"): "As over TCP; the kernel's part of a local socket is smaller, so that ours is a larger share.",
    ("loops", "AsyncUV, loops: 1"): "As with 1 KiB on one core.",
    ("loops", "AsyncUV, loops: 2"): "Each loop has its own connections and sleeps in between: 0.39 context switches a request, as in C with two loops (0.29), where one "
                                    "loop has 0.02. tokio's two threads have 0.09.",
    ("files-cold", "File.read"): "It asks first whether the bytes are in memory, and then takes the way through libuv's pool, as `uv_fs_read in C`: a change of "
                                 "threads there and back.",
    ("files-cold", "FileRequest.read"): "Through libuv's pool, as `uv_fs_read in C`: a change of threads there and back.",
    ("bursts", "AsyncUV"): "A task is resumed for a burst, not for each message.",
    ("visits", "AsyncUV"): "A connection is a task, an object and a stream more than C's handle, all made and freed for one byte.",
    ("visits", "UV callbacks"): "A handle, its object and its closures are made and freed for one byte.",
    ("idle", "AsyncUV"): "A connection is a task that waits: its frames, the stream and the connection's object, 1.5 kB together, beside libuv's handle.",
    ("idle", "UV callbacks"): "A Swift object and its closures beside libuv's handle of 264 bytes, which C has alone.",
    ("generators", "Generator"): "The body is a task of Swift's on an executor that runs it at once; the same task without a generator around it costs as "
                                 "much (a bare inline executor). Python's generators resume a frame of the interpreter.",
    ("green-memory", "Green"): "A task of Swift's with its first kilobyte, and its entry among those that sleep.",
    ("tasks-spawn", "spawn + yield + join, in a group"): "As on a bare ring: what Swift's runtime takes for a task.",
    ("tasks-spawn", "spawn + yield + join, loop.spawn"): "As on a bare ring: what Swift's runtime takes for a task.",
    ("tasks-timeout", "withTimeout that is not needed"): "The body gets a task of its own, which an entry of the timers cancels.",
    ("tasks-channel", "element through a Channel, between two tasks"): "Each element changes the task twice, at 200 ns; Go changes goroutines in 50.",
    ("tasks-channel", "element through a Channel with room for 64"): "Both tasks are changed once for 64 elements; the rest is a turn's count and the ring.",
    ("files-1", "File.read"): "An array for the bytes, and the look whether they are in memory, beside the same system call.",
    ("files-1", "FileRequest.read"): "Through libuv's pool, as `uv_fs_read in C`: a change of threads there and back.",
    ("files-1", "File.read, fast path off"): "Through libuv's pool on purpose: a change of threads there and back. C's way through the pool is `uv_fs_read in C`.",
    ("files-whole", "FileSystem.readFile"): "It asks which volume the file is on, since only local ones may be read on the loop, and makes the array.",
    ("files-whole", "FileSystem.readFile, fast path off"): "One trip through libuv's pool on purpose; C takes four, one for each call.",
    ("calls", "UV callbacks"): "One wait, one read, one write, as in C. Go reads and writes first, and waits only when it must.",
    ("calls", "AsyncUV"): "One wait, one read, one write, as in C. Go reads and writes first, and waits only when it must.",
    ("tasks-switch", "switch between two tasks"): "As on a bare ring: what Swift's runtime takes to resume a task.",
    ("files-nginx-large", "file-server"): "Nearly nginx's system calls, one sendfile for the file among them, which is 70 % of the time in both (perf). 19 % is code of ours, "
                                          "where nginx has 11 %.",
    ("files-nginx-small", "file-server"): "Our own code: a request as small as that is some 13,740 instructions outside the kernel (docs/NUMBERS.md).",
    ("tls-idle", "echo-uv-tls"): "OpenSSL's state of a connection is 14 kB, as in C; the task and the stream are 4.",
    ("tls-handshake", "echo-uv-tls"): "OpenSSL's handshake takes longer than BoringSSL's, which SwiftNIO brings.",
}
