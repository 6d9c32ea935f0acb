// What Swift's Glibc module does not show. Each function returns what the system call returns, with errno set.
#ifndef SWIFT_UV_CPLATFORM_H
#define SWIFT_UV_CPLATFORM_H

#include <net/if.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/// accept4(2) with SOCK_NONBLOCK and SOCK_CLOEXEC; two calls more where it does not exist. Fills in the peer's address and its
/// size.
int cplatform_accept(int listener, struct sockaddr_storage *peer, socklen_t *size);

/// Ends a TCP connection at once and leaves its socket without one, so that its port is free.
int cplatform_disconnect(int socket);

/// How many bytes can be read from a socket or pipe now; -1 for what cannot tell.
int cplatform_unread_bytes(int descriptor);

/// How many bytes the system has taken from a socket's writer and the peer's system has not acknowledged; 0 for what cannot tell.
int cplatform_unacknowledged_bytes(int socket);

/// socket(2) of type SOCK_STREAM, SOCK_DGRAM, …, not blocking and closed on exec.
int cplatform_socket(int family, int type);

/// The most datagrams of one call.
enum { cplatform_most_datagrams = 32 };

/// A sockaddr_in or sockaddr_in6, or all zeros for none. The system's header would make its types this module's for Swift.
struct cplatform_address {
    uint32_t words[7];
};

/// A datagram that has come, in the memory of a receiver.
struct cplatform_datagram {
    const uint8_t *bytes;
    uint32_t count;
    int is_truncated;
    struct cplatform_address from;
};

/// A datagram to be sent; `to_size` is 0 for the peer of a connected socket.
struct cplatform_outgoing {
    const void *bytes;
    size_t count;
    struct cplatform_address to;
    socklen_t to_size;
};

/// Room for as many datagrams as one call receives, each of 64 KiB; NULL when there is no memory.
struct cplatform_receiver;
struct cplatform_receiver *cplatform_receiver_create(void);
void cplatform_receiver_destroy(struct cplatform_receiver *receiver);

/// Receives what is there, `most` datagrams at most: how many, or -1. recvmmsg(2) on Linux.
int cplatform_receive(struct cplatform_receiver *receiver, int socket, int most);
/// One of those that have just been received.
const struct cplatform_datagram *cplatform_received(const struct cplatform_receiver *receiver, int index);

/// Sends datagrams as far as there is room: how many, or -1 if the first has failed. sendmmsg(2) on Linux.
///
/// If `joins` is true, datagrams of one size to one address go through the system as one, which cuts them apart at the end
/// (UDP_SEGMENT): a sixth of the work. Becomes false when that does not work.
int cplatform_send_datagrams(int socket, const struct cplatform_outgoing *datagrams, int count, int *joins);

/// Lets a socket report what the network says of the datagrams that it has sent (IP_RECVERR); only Linux has that.
int cplatform_report_network_errors(int socket, int family, int enabled);
/// Takes such a report: its errno value and where the datagram went, if that is known; 0 when there is none.
int cplatform_take_network_error(int socket, struct cplatform_address *to);

/// How many datagrams the system has dropped because the socket's buffer was full; -1 where it does not say.
int64_t cplatform_dropped_datagrams(int socket);

/// The first IPv4 address of an interface, in the order of the network.
int cplatform_interface_address(const char *name, uint32_t *address);

/// A pointer of each thread's own, at first NULL.
void *cplatform_thread_slot(void);
void cplatform_set_thread_slot(void *pointer);

/// The time of the loop that a test runs on the calling thread, in nanoseconds; 0 where the system's clock counts.
int64_t cplatform_test_time(void);
void cplatform_set_test_time(int64_t nanoseconds);

/// Starts a thread: one to be joined if `joinable` is not null and gets its number, else one that nobody joins. Returns 0 or
/// an errno value.
int cplatform_start_thread(void (*body)(void *), void *context, size_t stack_size, uintptr_t *joinable);
/// Waits for a thread's end, once.
void cplatform_join_thread(uintptr_t thread);

/// A lock of the C library; not recursive.
struct cplatform_lock;
struct cplatform_lock *cplatform_lock_create(void);
void cplatform_lock_destroy(struct cplatform_lock *lock);
void cplatform_lock(struct cplatform_lock *lock);
void cplatform_unlock(struct cplatform_lock *lock);

/// A number of the calling thread's own, not 0; one instruction on Linux.
static inline uintptr_t cplatform_thread_number(void) {
#if defined(__linux__)
    return (uintptr_t)__builtin_thread_pointer();
#else
    return (uintptr_t)pthread_self();
#endif
}

/// A timer of the kernel: a descriptor that is readable from a time on. A negative errno value on failure, and where the system
/// has none.
int cplatform_timer(void);
/// Sets the timer to a time of the monotonic clock, in nanoseconds, and makes it unreadable until then; 0 stops it.
void cplatform_set_timer(int timer, int64_t nanoseconds);

/// Lets the calling thread get a signal.
void cplatform_unblock_signal(int signal);

/// Whether the calling thread is the process's first.
int cplatform_is_main_thread(void);

/// The eventfd that is readable while the main dispatch queue has work, -1 where there is none.
int cplatform_main_queue_descriptor(void);

/// Runs what waits on the main dispatch queue. On the main thread only.
void cplatform_drain_main_queue(void);

/// Before a library's own clean-up, lets `exit` call `park`, then wait no longer than a second for the work that `running`
/// counts; if there is still some, ends the process at once, with stdio flushed. It waits on glibc only: others do not tell
/// exit handlers the status. To be called once.
void cplatform_prepare_exit(void (*park)(void), int (*running)(void));

/// The program's arguments where the system has put them, so that a change shows in lists of processes; null where nobody tells.
char **cplatform_arguments(int *count);
/// Frees the list, not the arguments.
void cplatform_forget_arguments(char **arguments);

/// Stops the calling thread for ever.
_Noreturn void cplatform_park(void);

/// Writes behind the file's end, in one step where the system can.
ssize_t cplatform_append(int file, const void *bytes, size_t count);

/// Sends bytes of a file to a socket or file: as many as it takes now, 0 at the end of the file.
ssize_t cplatform_send(int from, off_t offset, size_t count, int to);

/// pread(2) of what is in the page cache; EAGAIN for the rest, EOPNOTSUPP where the file cannot tell.
ssize_t cplatform_read_cached(int file, void *buffer, size_t count, off_t offset);

/// Tells the system that a file will be read from its start to its end, so that it reads further ahead.
void cplatform_read_in_order(int file);

/// What is known of a file without asking a disk or a server.
struct cplatform_found {
    uint64_t device;
    int64_t size;
    int is_regular;
};

/// Finds a file if its name can be found without a disk; EAGAIN if not, ENOSYS before Linux 5.12. The descriptor (O_PATH)
/// stands for the file; the file's own file system has not been told.
int cplatform_find_cached(const char *path, struct cplatform_found *found);

/// Opens the file that a descriptor of cplatform_find_cached stands for, for reading.
int cplatform_open_found(int found);

/// Opens a path below an open directory, whatever others exchange for links meanwhile: EXDEV for one that leads out of it, as
/// an absolute link does. Links within the directory are followed.
int cplatform_open_below(int directory, const char *path, int flags, mode_t mode);

/// What cplatform_open_below does where the system has no openat2(2): one name after the other.
int cplatform_walk_below(int directory, const char *path, int flags, mode_t mode);

/// What cplatform_open_below does, if that takes no disk and leads to no other volume; EAGAIN or EXDEV if not, ENOSYS before
/// Linux 5.12. The directory's volume must be one that answers at once: see cplatform_is_local.
int cplatform_open_cached_below(int directory, const char *path, int flags);

/// cplatform_open_below for a descriptor that only stands for what has the path: a file that may not be read, or a link itself
/// where links are not followed. Status can be asked of it.
int cplatform_find_below(int directory, const char *path, int follows_links);

/// chmod(2) and utimensat(2) of what a descriptor of cplatform_find_below stands for, which is no link.
int cplatform_set_permissions_of_found(int found, mode_t mode);
int cplatform_set_times_of_found(int found, struct timespec accessed, struct timespec modified);

/// Whether the bytes of a file, up to its end, are in memory: how many there are, -1 if not or if the system does not say.
ssize_t cplatform_count_cached(int file, off_t offset, size_t count);

/// Whether a descriptor that was only read can be closed without a wait, on a local volume: not if the file has no name any
/// more, because the system then frees its blocks.
int cplatform_closes_at_once(int file);

/// Whether the system makes up what is in a directory (/proc, /sys and the like): files there cannot be replaced.
int cplatform_is_made_up(const char *directory);

/// What cplatform_is_made_up says, of an open directory.
int cplatform_is_in_made_up(int directory);

/// Whether an open file is on a disk or in the memory of this machine, not with a server or another program, which may
/// answer late or never. This asks it.
int cplatform_is_local(int file);

/// Makes a file share the blocks of another, where the file system can.
int cplatform_clone_file(int source, int destination);

/// copy_file_range(2) at the positions of both files, which move.
ssize_t cplatform_copy_range(int source, int destination, size_t count);

/// rename(2) that fails with EEXIST where it would replace something.
int cplatform_rename_to_free_name(const char *path, const char *new_path);

/// Gives a name in a directory, or an open file if the name is NULL, times. `flags`: AT_SYMLINK_NOFOLLOW or 0.
int cplatform_set_times(
    int directory, const char *name, int flags, struct timespec accessed, struct timespec modified);
/// What cplatform_set_times does, with the times of `status`, without following links.
int cplatform_copy_times(int directory, const char *name, const struct stat *status);

/// Begins to list an open directory. The descriptor belongs to the list from then on. NULL on failure.
void *cplatform_open_entries(int directory);

/// The next name but "." and "..", until the next call, and its DT_ number. NULL with errno 0 at the end.
const char *cplatform_next_entry(void *entries, unsigned char *type);

void cplatform_rewind_entries(void *entries);
void cplatform_close_entries(void *entries);

/// Who was at the other end of a local socket when it was connected.
struct cplatform_credentials {
    pid_t process;
    uid_t user;
    gid_t group;
};
int cplatform_peer_credentials(int socket, struct cplatform_credentials *found);

/// Two local sockets that are connected with each other, not blocking and closed on exec.
int cplatform_socket_pair(int type, int sockets[2]);

/// chmod(2) that fails for a link instead of following it.
int cplatform_set_mode(const char *path, mode_t mode);

/// The most descriptors that the system lets travel with one message (SCM_MAX_FD).
#define CPLATFORM_MOST_DESCRIPTORS 253

/// Sends bytes, and descriptors with the first of them, without waiting. A short count has sent all descriptors.
ssize_t cplatform_send_message(
    int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count);

/// Receives bytes, and up to CPLATFORM_MOST_DESCRIPTORS descriptors, which are closed on exec, without waiting. 0 at the end.
/// EMFILE where the process has no room for all descriptors, EMSGSIZE for a message that is larger: on Linux the message stays
/// where it is.
ssize_t cplatform_receive_message(int socket, void *bytes, size_t count, int *descriptors, size_t *descriptor_count);

/// What happened to something that is watched, and how it is watched: the values of <sys/inotify.h>, which others lack.
enum {
    CPLATFORM_MODIFIED = 0x2,
    CPLATFORM_ATTRIBUTES = 0x4,
    CPLATFORM_MOVED_FROM = 0x40,
    CPLATFORM_MOVED_TO = 0x80,
    CPLATFORM_CREATED = 0x100,
    CPLATFORM_REMOVED = 0x200,
    CPLATFORM_SELF_REMOVED = 0x400,
    CPLATFORM_SELF_MOVED = 0x800,
    CPLATFORM_UNMOUNTED = 0x2000,
    CPLATFORM_OVERFLOW = 0x4000,
    CPLATFORM_WATCH_ENDED = 0x8000,
    CPLATFORM_DIRECTORIES_ONLY = 0x01000000,
    CPLATFORM_NO_LINKS = 0x02000000,
    CPLATFORM_IS_DIRECTORY = 0x40000000,
};

/// A descriptor that tells of changes of directories, not blocking and closed on exec. -1 with ENOSYS where the system has none.
int cplatform_open_watches(void);

/// Watches a directory, and returns the number of the watch: the same number for the same directory.
int cplatform_add_watch(int watches, const char *path, uint32_t mask);
void cplatform_remove_watch(int watches, int watch);

struct cplatform_change {
    int watch;
    uint32_t mask;
    /// The same for the two halves of a renaming, else 0.
    uint32_t cookie;
    /// NULL if the directory itself is meant. Good as long as the buffer.
    const char *name;
};

/// The change at an offset of what was read from the descriptor. Returns the offset of the following one; 0 when there is none.
size_t cplatform_change_at(const void *buffer, size_t size, size_t offset, struct cplatform_change *change);

/// A duplicate that is closed on exec, at the lowest free number.
int cplatform_duplicate(int descriptor);

#define CPLATFORM_MOST_STANDARD_STREAMS 16

/// What a child process is to be.
struct cplatform_child {
    /// The paths to try, one after the other, and NULL.
    char **candidates;
    char **arguments;
    /// The same behind two places, for a program that is a script without a first line.
    char **shell_arguments;
    /// NULL for this process's.
    char **environment;
    const char *directory;
    /// What it has as 0, 1 and so on; -1 for the null device.
    const int *descriptors;
    int count;
    int is_detached;
};

/// Whether cplatform_start_child can be used: from Linux 5.11 on.
int cplatform_can_start_child(void);

/// Starts a child with these descriptors and no others, the default action for every signal and an empty signal mask, without a
/// copy of this process's memory. Its number and a descriptor of it, or -1 with errno; there is no child then.
int cplatform_start_child(const struct cplatform_child *child, int *descriptor);

/// Calls a function, on another thread, with a copy of the process's descriptors in which none from 3 on survives exec(2) and
/// no number below `lowest` is free. Before Linux 5.11, and without memory for a thread, it is called without a copy; all
/// descriptors of the process are then closed on exec from now on.
void cplatform_call_with_private_descriptors(int lowest, void (*body)(void *), void *context);

/// A descriptor that is readable when a child of this process has ended. Fails where the system has none.
int cplatform_process_descriptor(int process);

/// Keeps the settings of a terminal, to give them back when the process ends or stops. A number for it, -1 with errno on failure.
int cplatform_keep_terminal(int descriptor);

/// The terminal's settings have been changed: notes the new ones, to set them again when the process goes on after a stop. Takes
/// the signals that end or stop the process, where nobody else has.
void cplatform_note_terminal(int number);

/// Gives the kept settings back and forgets them.
void cplatform_release_terminal(int number);

/// Whether a handler is the one that gives terminals their settings back when a signal ends the process.
int cplatform_guards_terminals(void (*handler)(int));

/// Gives all terminals their kept settings back.
void cplatform_restore_terminals(void);

/// Takes the status of a child: its number if the child has ended, 0 if not, -1 with ECHILD if somebody else has taken it. One
/// of the results is 0.
int cplatform_reap(int process, int *exit_status, int *signal);
/// The same, and leaves the child its number: it is to be waited for once more.
int cplatform_look_at_end(int process, int *exit_status, int *signal);

/// The most frames of a backtrace.
enum { cplatform_most_frames = 64 };

/// Copies words of this process's memory; 0 where there is none. It is safe in a handler of a signal.
int cplatform_peek(uintptr_t address, uintptr_t *words, int count);

/// The return addresses of the calling thread, innermost first, without this function's caller's callee; how many.
int cplatform_backtrace(uintptr_t *frames, int most);

/// The calling thread, for ``cplatform_capture`` and ``cplatform_waits_for_events``; not 0.
uintptr_t cplatform_thread(void);

/// Whether a thread of this process is blocked in the wait for events of an epoll descriptor; -1 where nobody can tell.
int cplatform_waits_for_events(uintptr_t thread, int descriptor);

/// What a thread is doing.
typedef struct cplatform_capture {
    /// Innermost first, with the frames of the handler of the signal before the interrupted address.
    uintptr_t frames[cplatform_most_frames];
    int count;
    /// Where the thread was; 0 where that is not known.
    uintptr_t interrupted;
    /// Where its task goes on after the call that it made last, and so on; -1 outside of tasks.
    uintptr_t task_frames[cplatform_most_frames];
    int task_count;
    char task_name[64];
} cplatform_capture_t;

/// Sets what tells of the calling thread's Swift task: how many frames, -1 without one. It must be safe in a handler of a signal.
void cplatform_set_task_source(int (*source)(uintptr_t *frames, int most, char *name, size_t size));
int cplatform_current_task(uintptr_t *frames, int most, char *name, size_t size);

/// Takes a signal for captures: 0, or an errno value when none is free.
int cplatform_prepare_captures(void);
/// Lets the calling thread be captured, now or later: threads of Dispatch, and those that they start, block all signals.
void cplatform_allow_captures(void);
/// Captures another thread, which must live but on Linux. 0 when it does not answer in time. To be called by one thread at a time.
int cplatform_capture(uintptr_t thread, struct cplatform_capture *result, int milliseconds);

/// Lets a signal end ``cplatform_wait_for_request``: 0, or an errno value; EBUSY when the signal has another handler.
int cplatform_request_on(int signal);
/// Whether a signal does that.
int cplatform_reports_on(int signal);
int cplatform_wait_for_request(void);

/// Lets malloc keep up to 8 MiB at the end of a heap. By itself glibc gives back what is above 128 KiB: a loop that reads 64 KiB of each of
/// its connections, and frees them when they are written, would do so in each turn, and the system would clear each page again.
void cplatform_keep_freed_memory(void);

#endif
