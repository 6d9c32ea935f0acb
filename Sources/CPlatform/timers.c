#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>

#if defined(__linux__)
#include <sys/timerfd.h>
#endif

int cplatform_timer(void) {
#if defined(__linux__)
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return timer < 0 ? -errno : timer;
#else
    return -ENOSYS;
#endif
}

void cplatform_set_timer(int timer, int64_t nanoseconds) {
#if defined(__linux__)
    struct itimerspec when = {.it_value = {nanoseconds / 1000000000, nanoseconds % 1000000000}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
#else
    (void)timer, (void)nanoseconds;
#endif
}
