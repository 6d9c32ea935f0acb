// What Swift's Glibc module does not show. Each function returns what the system call returns, with errno set.
#ifndef SWIFT_UV_CLINUX_H
#define SWIFT_UV_CLINUX_H

#include <net/if.h>
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

/// A number of the calling thread's own, not 0; cheap.
uintptr_t clinux_thread_number(void);

/// Whether the calling thread is the process's first.
int clinux_is_main_thread(void);

/// The eventfd that is readable while the main dispatch queue has work, -1 where there is none.
int clinux_main_queue_descriptor(void);

/// Runs what waits on the main dispatch queue. On the main thread only.
void clinux_drain_main_queue(void);

/// Lets `exit` wait no longer than a second for the work that `running` counts, then ends the process at once, with
/// stdio flushed. glibc only: others do not tell exit handlers the status. To be called once.
void clinux_limit_exit_wait(int (*running)(void));

/// Writes behind the file's end, in one step where the system can.
ssize_t clinux_append(int file, const void *bytes, size_t count);

/// pread(2) of what is in the page cache; EAGAIN for the rest, EOPNOTSUPP where the file cannot tell.
ssize_t clinux_read_cached(int file, void *buffer, size_t count, off_t offset);

/// sendfile(2) from an offset, which is left alone; ENOSYS elsewhere than on Linux.
ssize_t clinux_send_file(int destination, int source, off_t offset, size_t count);

/// Opens a file for reading if its name can be found without a disk; EAGAIN if not, ENOSYS before Linux 5.12.
int clinux_open_cached(const char *path);

/// A duplicate that is closed on exec, at the lowest free number.
int clinux_duplicate(int descriptor);

#endif
