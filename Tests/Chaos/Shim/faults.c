// Loaded into the chaos program: system calls fail, are interrupted or are short, as a seed says and only where the system may do
// the same. Threads have counters of their own, so that a thread that does the same calls has the same faults.
//
// Left alone: epoll_ctl, for whose failure libuv aborts; what eventfds and pipes say but EINTR, because libuv's own are among
// them and it takes all else for a broken kernel.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_int rate;
static _Atomic uint64_t seed;
static atomic_ulong faults;
static atomic_uint threads, epoch;
static _Thread_local unsigned thread_number, thread_epoch;
static _Thread_local uint64_t calls;

void chaos_shim_set(int new_rate, uint64_t new_seed) {
    seed = new_seed;
    rate = new_rate;
    epoch++;
}

unsigned long chaos_shim_count(void) { return faults; }

static uint64_t roll(void) {
    if (thread_number == 0) thread_number = ++threads;
    if (thread_epoch != epoch) {
        thread_epoch = epoch;
        calls = 0;
    }
    uint64_t mixed = seed + 0x9E3779B97F4A7C15ull * (++calls + ((uint64_t)thread_number << 32));
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ull;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBull;
    return mixed ^ (mixed >> 31);
}

// Whether this call is to be harmed; the number says how.
static int harmed(uint64_t *how) {
    int limit = rate;
    if (limit == 0) return 0;
    uint64_t number = roll();
    if ((int)(number % 1000) >= limit) return 0;
    *how = number / 1000;
    faults++;
    return 1;
}

static int fail(int error) {
    errno = error;
    return -1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define PICK(list, how) list[(how) % (sizeof list / sizeof *list)]

// MARK: Descriptors

static const int shortages[] = {EMFILE, ENFILE, ENOMEM};

#define MAKING(name, parameters, arguments)                          \
    int name parameters {                                            \
        static __typeof__(&name) real;                               \
        uint64_t how;                                                \
        if (harmed(&how)) return fail(PICK(shortages, how));         \
        if (real == NULL) real = REAL(name);                         \
        return real arguments;                                       \
    }

MAKING(socket, (int family, int type, int protocol), (family, type, protocol))
MAKING(socketpair, (int family, int type, int protocol, int both[2]), (family, type, protocol, both))
MAKING(eventfd, (unsigned count, int flags), (count, flags))
MAKING(epoll_create1, (int flags), (flags))
MAKING(inotify_init1, (int flags), (flags))
MAKING(pipe2, (int both[2], int flags), (both, flags))

// Not by the C library's function: a child that shares our memory and has a small stack may be here.
static int opening(int folder, const char *path, int flags, mode_t mode) {
    uint64_t how;
    static const int errors[] = {EMFILE, ENFILE, ENOMEM, EINTR};
    // Dispatch looks at its own threads in /proc, and traps when it cannot. A terminal that cannot be opened anew blocks its loop.
    if (strncmp(path, "/proc/", 6) != 0 && strncmp(path, "/dev/pts/", 9) != 0 && harmed(&how)) return fail(PICK(errors, how));
    return (int)syscall(SYS_openat, folder, path, flags, mode);
}

#define MODE                                \
    mode_t mode = 0;                        \
    if (flags & (O_CREAT | O_TMPFILE)) {    \
        va_list rest;                       \
        va_start(rest, flags);              \
        mode = va_arg(rest, mode_t);        \
        va_end(rest);                       \
    }

int open(const char *path, int flags, ...) { MODE return opening(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return opening(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE return opening(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE return opening(folder, path, flags, mode); }

int accept4(int listener, struct sockaddr *address, socklen_t *size, int flags) {
    static const int errors[] = {EINTR, EAGAIN, ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTO};
    uint64_t how;
    if (harmed(&how)) return fail(PICK(errors, how));
    return REAL(accept4)(listener, address, size, flags);
}

// MARK: Bytes

enum { WHOLE = 0, FAILS, SHORT };

// What becomes of a transfer: a failure, with errno set, or fewer bytes.
static int transfer(int descriptor, int is_write, size_t count, size_t *most) {
    uint64_t how;
    if (!harmed(&how)) return WHOLE;
    int before = errno;
    struct stat status;
    if (fstat(descriptor, &status) != 0) {
        errno = before;
        return WHOLE;
    }
    int is_socket = S_ISSOCK(status.st_mode), is_file = S_ISREG(status.st_mode);
    int flags = fcntl(descriptor, F_GETFL);
    errno = before;
    int kind = how % 16;
    how /= 16;
    if (is_socket && kind < 5 && (flags & O_NONBLOCK)) return errno = EAGAIN, FAILS;
    if (is_socket && kind == 5) return errno = is_write ? ENOBUFS : ENOMEM, FAILS;
    if ((is_socket || is_file) && kind > 8 && count > 1) {
        int type = 0;
        socklen_t size = sizeof type;
        if (is_socket && (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM)) return WHOLE;
        errno = before;
        *most = 1 + how % (count - 1 < 100 ? count - 1 : 100);
        return SHORT;
    }
    return errno = EINTR, FAILS;
}

ssize_t read(int descriptor, void *bytes, size_t count) {
    size_t most = count;
    if (transfer(descriptor, 0, count, &most) == FAILS) return -1;
    static __typeof__(&read) real;
    if (real == NULL) real = REAL(read);
    return real(descriptor, bytes, most);
}

ssize_t recv(int descriptor, void *bytes, size_t count, int flags) {
    size_t most = count;
    if (transfer(descriptor, 0, count, &most) == FAILS) return -1;
    return REAL(recv)(descriptor, bytes, most, flags);
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    size_t most = count;
    if (transfer(descriptor, 1, count, &most) == FAILS) return -1;
    static __typeof__(&write) real;
    if (real == NULL) real = REAL(write);
    return real(descriptor, bytes, most);
}

ssize_t send(int descriptor, const void *bytes, size_t count, int flags) {
    size_t most = count;
    if (transfer(descriptor, 1, count, &most) == FAILS) return -1;
    return REAL(send)(descriptor, bytes, most, flags);
}

#define POSITIONED(name, pointer, offset_type, is_write)                                        \
    ssize_t name(int descriptor, pointer bytes, size_t count, offset_type offset) {             \
        size_t most = count;                                                                    \
        if (transfer(descriptor, is_write, count, &most) == FAILS) return -1;                   \
        return REAL(name)(descriptor, bytes, most, offset);                                     \
    }

POSITIONED(pread, void *, off_t, 0)
POSITIONED(pread64, void *, off64_t, 0)
POSITIONED(pwrite, const void *, off_t, 1)
POSITIONED(pwrite64, const void *, off64_t, 1)

static size_t total(const struct iovec *parts, int count) {
    size_t sum = 0;
    for (int index = 0; index < count; index++) sum += parts[index].iov_len;
    return sum;
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    size_t most = 0;
    int fate = transfer(descriptor, 1, total(parts, count), &most);
    if (fate == FAILS) return -1;
    if (fate == SHORT && parts->iov_len > 0)
        return REAL(write)(descriptor, parts->iov_base, parts->iov_len < most ? parts->iov_len : most);
    return REAL(writev)(descriptor, parts, count);
}

ssize_t readv(int descriptor, const struct iovec *parts, int count) {
    size_t most = 0;
    int fate = transfer(descriptor, 0, total(parts, count), &most);
    if (fate == FAILS) return -1;
    if (fate == SHORT && parts->iov_len > 0)
        return REAL(read)(descriptor, parts->iov_base, parts->iov_len < most ? parts->iov_len : most);
    return REAL(readv)(descriptor, parts, count);
}

ssize_t preadv2(int descriptor, const struct iovec *parts, int count, off_t offset, int flags) {
    uint64_t how;
    if (flags & RWF_NOWAIT && harmed(&how)) return fail(how % 2 ? EAGAIN : EINTR);
    return REAL(preadv2)(descriptor, parts, count, offset, flags);
}

ssize_t sendmsg(int descriptor, const struct msghdr *message, int flags) {
    size_t most = 0;
    int fate = transfer(descriptor, 1, total(message->msg_iov, (int)message->msg_iovlen), &most);
    if (fate == FAILS) return -1;
    if (fate != SHORT || message->msg_iov->iov_len <= 1) return REAL(sendmsg)(descriptor, message, flags);
    struct iovec first = *message->msg_iov;
    struct msghdr less = *message;
    if (first.iov_len > most) first.iov_len = most;
    less.msg_iov = &first;
    less.msg_iovlen = 1;
    return REAL(sendmsg)(descriptor, &less, flags);
}

ssize_t recvmsg(int descriptor, struct msghdr *message, int flags) {
    size_t most = 0;
    // Never short: what is left behind may have descriptors.
    if (transfer(descriptor, 0, 1, &most) == FAILS) return -1;
    return REAL(recvmsg)(descriptor, message, flags);
}

int sendmmsg(int descriptor, struct mmsghdr *messages, unsigned count, int flags) {
    uint64_t how;
    static const int errors[] = {EAGAIN, EINTR, ENOBUFS};
    if (count > 0 && harmed(&how)) {
        if (how % 2 == 0 && count > 1) count = 1 + (unsigned)(how / 2 % (count - 1));
        else return fail(PICK(errors, how / 2));
    }
    return REAL(sendmmsg)(descriptor, messages, count, flags);
}

int recvmmsg(int descriptor, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout) {
    uint64_t how;
    if (harmed(&how)) {
        if (how % 2 == 0 && count > 1) count = 1 + (unsigned)(how / 2 % (count - 1));
        else return fail(how / 2 % 2 ? EAGAIN : EINTR);
    }
    return REAL(recvmmsg)(descriptor, messages, count, flags, timeout);
}

// MARK: Waiting

int epoll_wait(int poll, struct epoll_event *events, int most, int timeout) {
    uint64_t how;
    if (harmed(&how)) return fail(EINTR);
    return REAL(epoll_wait)(poll, events, most, timeout);
}

int epoll_pwait(int poll, struct epoll_event *events, int most, int timeout, const sigset_t *mask) {
    uint64_t how;
    if (harmed(&how)) return fail(EINTR);
    return REAL(epoll_pwait)(poll, events, most, timeout, mask);
}
