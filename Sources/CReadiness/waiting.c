#define _GNU_SOURCE
#include "CReadiness.h"

#if defined(__linux__)

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <unistd.h>

int readiness_select(int count, void *readable, void *writable, void *priority, int64_t microseconds) {
    struct timeval time = {.tv_sec = microseconds / 1000000, .tv_usec = microseconds % 1000000};
    int ready = select(count, readable, writable, priority, microseconds < 0 ? NULL : &time);
    return ready < 0 ? -errno : ready;
}

int readiness_poll(struct pollfd *entries, size_t count, int milliseconds) {
    int ready = poll(entries, count, milliseconds);
    return ready < 0 ? -errno : ready;
}

int readiness_epoll_create(void) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    return epoll < 0 ? -errno : epoll;
}

int readiness_epoll_control(int epoll, int operation, int descriptor, uint32_t events) {
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)events << 32 | (uint32_t)descriptor};
    return epoll_ctl(epoll, operation, descriptor, &event) < 0 ? -errno : 0;
}

int readiness_epoll_wait(int epoll, struct epoll_event *events, int count, int milliseconds) {
    int ready = epoll_wait(epoll, events, count, milliseconds);
    return ready < 0 ? -errno : ready;
}

int readiness_event(unsigned initial, int semaphore) {
    int event = eventfd(initial, EFD_CLOEXEC | (semaphore ? EFD_SEMAPHORE : EFD_NONBLOCK));
    return event < 0 ? -errno : event;
}

// EAGAIN says that the counter is full, so the other side has a wake-up to come anyway.
int readiness_event_signal(int event) {
    while (eventfd_write(event, 1) < 0)
        if (errno != EINTR) return errno == EAGAIN ? 0 : -errno;
    return 0;
}

int readiness_event_take(int event) {
    eventfd_t count;
    while (eventfd_read(event, &count) < 0)
        if (errno != EINTR) return -errno;
    return 0;
}

#endif
