#include "CLoad.h"
#include "clocks.h"

#include <time.h>

static double seconds(const struct timespec *time) { return (double)time->tv_sec + (double)time->tv_nsec * 1e-9; }

uint64_t clock_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

double load_cpu_seconds(pid_t process) {
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &time) != 0) return -1;
    return seconds(&time);
}
