// What module Readiness needs of the kernel. Each function returns what the system call returns, or -errno;
// calls that a signal interrupts are made again, but for the three that wait (they return -EINTR).
#ifndef SWIFT_UV_CREADINESS_H
#define SWIFT_UV_CREADINESS_H

#if defined(__linux__)

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

/// "EBADF", …; NULL for a number that is none.
const char *readiness_error_name(int error);

// Descriptors

int readiness_close(int descriptor);
/// 0, or -EBADF.
int readiness_check(int descriptor);
int readiness_duplicate(int descriptor);
/// A copy whose number is at least so large.
int readiness_duplicate_above(int descriptor, int least);
int readiness_set_blocking(int descriptor, int blocking);

// Sockets (all closed on exec)

int readiness_socket(int family, int type);
int readiness_pair(int type, int descriptors[2]);
int readiness_listen(int descriptor, int backlog);
int readiness_accept(int listener, int blocking);
int readiness_shutdown(int descriptor, int how);
long readiness_receive(int descriptor, void *bytes, size_t count);
/// Never raises SIGPIPE.
long readiness_send(int descriptor, const void *bytes, size_t count, int flags);
int readiness_set_option(int descriptor, int level, int name, int value);
/// The option's value, which must not be negative.
int readiness_get_option(int descriptor, int level, int name);
/// Close with a reset instead of a FIN: SO_LINGER of zero seconds.
int readiness_reset_on_close(int descriptor);

// Addresses: numeric IPv4 or IPv6

/// AF_INET, AF_INET6 or -EINVAL.
int readiness_family(const char *host);
int readiness_bind(int descriptor, const char *host, uint16_t port);
int readiness_connect(int descriptor, const char *host, uint16_t port);
/// The port; writes the host's text, at most 46 bytes with the final zero.
int readiness_local_address(int descriptor, char *host);
int readiness_peer_address(int descriptor, char *host);

// Waiting

/// Sets of FD_SETSIZE bits; NULL for none. Negative microseconds wait for ever.
int readiness_select(int count, void *readable, void *writable, void *priority, int64_t microseconds);
int readiness_poll(struct pollfd *entries, size_t count, int milliseconds);
int readiness_epoll_create(void);
/// The event's data are the descriptor and what was asked for: epoll_wait does not say the latter.
int readiness_epoll_control(int epoll, int operation, int descriptor, uint32_t events);
int readiness_epoll_wait(int epoll, struct epoll_event *events, int count, int milliseconds);
/// The descriptor that `readiness_epoll_control` stored.
static inline int readiness_epoll_descriptor(struct epoll_event event) { return (int)event.data.u64; }
/// The events that it stored.
static inline uint32_t readiness_epoll_asked(struct epoll_event event) { return event.data.u64 >> 32; }

// Events, processes, signals

/// An eventfd; with `semaphore`, each take lowers the count by one and waits while it is zero.
int readiness_event(unsigned initial, int semaphore);
int readiness_event_signal(int event);
int readiness_event_take(int event);

/// Forks a child that echoes what it receives, then exits. Returns the child's number. The child is C because after `fork` in a process with several threads only
/// async-signal-safe functions may be called: no Swift, no malloc. It dies with the thread that forked it.
int readiness_fork_echo(int connection);
/// A descriptor of the child (a pidfd) that becomes readable when the child ends. If there is none, the child is killed.
int readiness_open_child(int child);
/// Kills the child if it still runs, takes its exit status and closes the pidfd.
int readiness_end_child(int child);

/// Blocks SIGTERM and SIGINT in the calling thread and in those that it starts from now on.
int readiness_block_termination(void);
/// Sleeps until one of the two arrives; returns its number.
int readiness_wait_termination(void);

/// Signal-driven IO: from now on the kernel sends the calling thread a signal when the descriptor becomes ready.
int readiness_signal_io_start(int descriptor);
/// How often the signal has arrived, in the whole process.
unsigned readiness_signal_io_arrivals(void);
int readiness_signal_io_stop(int descriptor);

// Clocks, in nanoseconds

int64_t readiness_clock(void);
int64_t readiness_thread_cpu_clock(void);
/// How often the calling thread went to sleep.
long readiness_thread_sleeps(void);
int readiness_sleep_until(int64_t nanoseconds);

#endif
#endif
