// The client side in C: what runs on the load's core must cost as little as possible, or it is the load generator
// that is measured.
#ifndef BENCHMARKS_C_LOAD_H
#define BENCHMARKS_C_LOAD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct load_options {
    const char *host;
    uint16_t port;
    int connections;
    /// Bytes of one message.
    size_t size;
    /// Messages that a connection sends, each with a send(2) of its own, before it waits for all their echoes.
    int pipeline;
    /// Whether one send(2) takes all of them.
    int together;
    /// Whether each message is a datagram.
    int udp;
    /// Messages a second that fall due whether or not the server keeps up; 0 sends each when the one before is back.
    /// A latency then begins when its message was due, so a server that stalls cannot hide what it kept waiting.
    double rate;
    double warmup_seconds, seconds;
    /// Whose CPU time is read at both ends of the measured window; 0 for nobody's.
    pid_t server;
};

struct load_result {
    uint64_t requests;
    double seconds;
    double server_cpu_seconds;
    /// A static text, or NULL when every byte came back.
    const char *failure;
};

/// Called once for each echoed burst of the measured window.
typedef void (*load_record)(void *context, uint64_t nanoseconds);

/// Runs the whole load on the calling thread.
struct load_result load_run(const struct load_options *options, load_record record, void *context);

/// A connected, blocking socket with TCP_NODELAY, or -1. A host that begins with a slash is the path of a local socket.
int load_connect(const char *host, uint16_t port);

/// A blocking UDP socket with this peer, or -1.
int load_connect_datagrams(const char *host, uint16_t port);

/// The same as load_connect from an address of ours, such as 0x7f000002 for 127.0.0.2: each has ephemeral ports of its own.
int load_connect_from(uint32_t source, const char *host, uint16_t port);

/// Sends `size` bytes (at most 64 KiB) on a blocking socket and waits for their echo. 0, or -1.
int load_exchange(int descriptor, size_t size);

/// CPU time of all threads of a process, with the scheduler's precision, or -1.
double load_cpu_seconds(pid_t process);

#endif
