#ifndef BENCHMARKS_C_LOAD_CLIENT_H
#define BENCHMARKS_C_LOAD_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// What all clients of a run share.
struct shape {
    int poller;
    /// Bytes of one send(2), and of all that is sent before the echo is waited for.
    size_t piece, burst;
    /// Random bytes, longer than a burst: each burst starts at another place, so that a stale echo is noticed.
    unsigned char *pattern;
    unsigned char *incoming;
    size_t incoming_size;
};

/// One connection and the burst that it has under way.
struct client {
    int descriptor;
    bool waits_to_write;
    size_t sent, received;
    uint64_t started, bursts;
};

enum progress { PROGRESS_WAITING, PROGRESS_FINISHED, PROGRESS_FAILED };

#define PATTERN_SLACK 4096

/// Begins the next burst. False when the connection is broken.
bool client_start(struct client *client, const struct shape *shape, uint64_t now);

/// Sends what the kernel takes. False when the connection is broken.
bool client_send(struct client *client, const struct shape *shape);

/// Reads once. A wrong byte, a byte too many and an end are failures.
enum progress client_receive(struct client *client, const struct shape *shape);

#endif
