#ifndef BENCHMARKS_C_LOAD_CLOCKS_H
#define BENCHMARKS_C_LOAD_CLOCKS_H

#include <stdint.h>

/// Nanoseconds of the monotonic clock.
uint64_t clock_now(void);

#endif
