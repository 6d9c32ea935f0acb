// What Swift's Glibc module does not show. Each function returns what the system call returns, with errno set.
#ifndef SWIFT_UV_CLINUX_H
#define SWIFT_UV_CLINUX_H

#include <net/if.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "CLinuxReadiness.h"

#if defined(__linux__)
#include <sys/epoll.h>
#include <sys/eventfd.h>
#endif

/// accept4(2) with SOCK_NONBLOCK and SOCK_CLOEXEC; two calls more where it does not exist.
int clinux_accept(int listener);

/// socket(2) of type SOCK_STREAM, SOCK_DGRAM, …, not blocking and closed on exec.
int clinux_socket(int family, int type);

/// A pointer of each thread's own, at first NULL.
void *clinux_thread_slot(void);
void clinux_set_thread_slot(void *pointer);

/// The address of the current Swift task, NULL outside of tasks.
void *clinux_current_task(void);

/// Whether it has been cancelled: `Task.isCancelled` without the retain and release around it.
int clinux_current_task_is_cancelled(void);

/// Starts a thread that nobody joins. Returns 0 or an errno value.
int clinux_start_thread(void (*body)(void *), void *context, size_t stack_size);

/// A number of the calling thread's own, not 0; one instruction on Linux.
static inline uintptr_t clinux_thread_number(void) {
#if defined(__linux__)
    return (uintptr_t)__builtin_thread_pointer();
#else
    return (uintptr_t)pthread_self();
#endif
}

/// Whether the calling thread is the process's first.
int clinux_is_main_thread(void);

/// The eventfd that is readable while the main dispatch queue has work, -1 where there is none.
int clinux_main_queue_descriptor(void);

/// Runs what waits on the main dispatch queue. On the main thread only.
void clinux_drain_main_queue(void);

/// A duplicate that is closed on exec, at the lowest free number.
int clinux_duplicate(int descriptor);

#endif
