#ifndef BENCHMARKS_C_SPAWN_H
#define BENCHMARKS_C_SPAWN_H

#include <sys/types.h>

/// Starts a program on one core, with its standard output going to `output`. It dies with the calling thread.
/// The process's id, or -1.
pid_t spawn_pinned(int core, int output, char *const arguments[]);

#endif
