// What Swift's Glibc module does not show. Each function returns what the system call returns, with errno set.
#ifndef SWIFT_UV_CLINUX_H
#define SWIFT_UV_CLINUX_H

#include <net/if.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

/// Brings memory from this address on into the processor's cache, without waiting: 832 bytes, which are a task and the frames
/// of a connection that it serves. Any address is harmless.
static inline void clinux_prefetch(uintptr_t start) {
    for (int line = 0; line < 13; line++) __builtin_prefetch((const char *)start + 64 * line);
}

/// The address of the current Swift task, NULL outside of tasks.
void *clinux_current_task(void);

/// Whether it has been cancelled: `Task.isCancelled` without the retain and release around it.
int clinux_current_task_is_cancelled(void);

/// Sets what is called, on the thread that cancels, for a context that was added.
void clinux_set_cancellation_handler(void (*handler)(void *));

/// From now on the current task's cancellation calls the handler with this context; at once when it is cancelled already.
/// The record goes to the other function, in the same task, in the reverse order.
void *clinux_add_cancellation_handler(void *context);
void clinux_remove_cancellation_handler(void *record);

/// Starts a thread: one to be joined if `joinable` is not null and gets its number, else one that nobody joins. Returns 0 or
/// an errno value.
int clinux_start_thread(void (*body)(void *), void *context, size_t stack_size, uintptr_t *joinable);
/// Waits for a thread's end, once.
void clinux_join_thread(uintptr_t thread);

/// A lock of the C library; not recursive.
struct clinux_lock;
struct clinux_lock *clinux_lock_create(void);
void clinux_lock_destroy(struct clinux_lock *lock);
void clinux_lock(struct clinux_lock *lock);
void clinux_unlock(struct clinux_lock *lock);

/// A number of the calling thread's own, not 0; one instruction on Linux.
static inline uintptr_t clinux_thread_number(void) {
#if defined(__linux__)
    return (uintptr_t)__builtin_thread_pointer();
#else
    return (uintptr_t)pthread_self();
#endif
}

/// Lets the calling thread get a signal.
void clinux_unblock_signal(int signal);

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

/// Sends bytes of a file to a socket or file: as many as it takes now, 0 at the end of the file.
ssize_t clinux_send(int from, off_t offset, size_t count, int to);

/// pread(2) of what is in the page cache; EAGAIN for the rest, EOPNOTSUPP where the file cannot tell.
ssize_t clinux_read_cached(int file, void *buffer, size_t count, off_t offset);

/// Tells the system that a file will be read from its start to its end, so that it reads further ahead.
void clinux_read_in_order(int file);

/// What is known of a file without asking a disk or a server.
struct clinux_found {
    uint64_t device;
    int64_t size;
    int is_regular;
};

/// Finds a file if its name can be found without a disk; EAGAIN if not, ENOSYS before Linux 5.12. The descriptor (O_PATH)
/// stands for the file; the file's own file system has not been told.
int clinux_find_cached(const char *path, struct clinux_found *found);

/// Opens the file that a descriptor of clinux_find_cached stands for, for reading.
int clinux_open_found(int found);

/// Whether an open file is on a disk or in the memory of this machine, not with a server or another program, which may
/// answer late or never. This asks it.
int clinux_is_local(int file);

/// Makes a file share the blocks of another, where the file system can.
int clinux_clone_file(int source, int destination);

/// copy_file_range(2) at the positions of both files, which move.
ssize_t clinux_copy_range(int source, int destination, size_t count);

/// rename(2) that fails with EEXIST where it would replace something.
int clinux_rename_to_free_name(const char *path, const char *new_path);

/// Gives a name in a directory, or an open file if the name is NULL, the times of `status`.
int clinux_set_times(int directory, const char *name, const struct stat *status);

/// Begins to list an open directory. The descriptor belongs to the list from then on. NULL on failure.
void *clinux_open_entries(int directory);

/// The next name but "." and "..", until the next call, and its DT_ number. NULL with errno 0 at the end.
const char *clinux_next_entry(void *entries, unsigned char *type);

void clinux_rewind_entries(void *entries);
void clinux_close_entries(void *entries);

/// A duplicate that is closed on exec, at the lowest free number.
int clinux_duplicate(int descriptor);

#endif
