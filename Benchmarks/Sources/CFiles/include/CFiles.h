// Reading files in C: what the system itself takes, and what libuv's thread pool takes.
#ifndef BENCHMARKS_CFILES_H
#define BENCHMARKS_CFILES_H

#include <stdint.h>

/// Nanoseconds for a `pread` of `block` bytes at a random place. Negative when the file cannot be read.
double cfiles_pread(const char *path, int block, int blocks, long count);

/// Nanoseconds for a `uv_fs_read`, with `depth` of them in flight.
double cfiles_pool(const char *path, int block, int blocks, int depth, long count);

/// Nanoseconds for a whole file through the pool: open, fstat, read and close, one after the other.
double cfiles_pool_whole(const char *path, long count);

/// Nanoseconds for a whole file: open, fstat, read and close on the calling thread.
double cfiles_whole(const char *path, long count);

/// Nanoseconds for a `pread` of a block that is not in memory: before each the file is dropped from it.
double cfiles_cold_pread(const char *path, int block, int blocks, long count);

/// The same of a `uv_fs_read`.
double cfiles_cold_pool(const char *path, int block, int blocks, long count);

/// The time of `CLOCK_MONOTONIC`, in nanoseconds.
double cfiles_now(void);

/// Writes the file to the disk and drops it from the page cache. 0, or an errno value.
int cfiles_evict(const char *path);

/// The place of a block, the same in all programs: a number below `blocks`.
static inline int cfiles_place(uint32_t *state, int blocks) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return (int)(*state % (uint32_t)blocks);
}

#endif
