// The least that a wake-up costs: uv_async_send to a loop on a thread of its own, all in C.
#ifndef BENCHMARKS_CWAKEUP_H
#define BENCHMARKS_CWAKEUP_H

#include <stdint.h>

struct wake_up;

/// Starts a thread with a loop that counts its wake-ups. NULL when the system refuses.
struct wake_up *wake_up_start(void);

void wake_up_send(struct wake_up *wake_up);

/// How often the loop has been woken.
uint64_t wake_up_count(struct wake_up *wake_up);

/// Ends the thread.
void wake_up_stop(struct wake_up *wake_up);

/// Nanoseconds of the monotonic clock.
uint64_t wake_up_clock(void);

/// Nanoseconds of CPU time of the calling thread.
uint64_t thread_cpu_clock(void);

#endif
