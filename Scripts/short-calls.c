// Loaded into the echo server by Scripts/fault-injection: in bursts of 64, reads from and writes to sockets move one to
// three bytes. (strace can make a call fail, but not make it short.)
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static _Thread_local unsigned calls;

// How many bytes this call may move; 0: as many as it likes.
static size_t most(int descriptor) {
    struct stat status;
    if (fstat(descriptor, &status) != 0 || !S_ISSOCK(status.st_mode)) return 0;
    unsigned call = calls++;
    return call / 64 % 2 == 0 ? 1 + call % 3 : 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t read(int descriptor, void *bytes, size_t count) {
    size_t limit = most(descriptor);
    return REAL(read)(descriptor, bytes, limit != 0 && count > limit ? limit : count);
}

ssize_t recv(int descriptor, void *bytes, size_t count, int flags) {
    size_t limit = most(descriptor);
    return REAL(recv)(descriptor, bytes, limit != 0 && count > limit ? limit : count, flags);
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    size_t limit = most(descriptor);
    return REAL(write)(descriptor, bytes, limit != 0 && count > limit ? limit : count);
}

ssize_t send(int descriptor, const void *bytes, size_t count, int flags) {
    size_t limit = most(descriptor);
    return REAL(send)(descriptor, bytes, limit != 0 && count > limit ? limit : count, flags);
}

ssize_t writev(int descriptor, const struct iovec *chunks, int count) {
    size_t limit = most(descriptor);
    if (limit == 0 || count < 1) return REAL(writev)(descriptor, chunks, count);
    return REAL(write)(descriptor, chunks->iov_base, chunks->iov_len > limit ? limit : chunks->iov_len);
}

ssize_t sendmsg(int descriptor, const struct msghdr *message, int flags) {
    size_t limit = most(descriptor);
    if (limit == 0 || message->msg_iovlen < 1) return REAL(sendmsg)(descriptor, message, flags);
    struct iovec first = *message->msg_iov;
    struct msghdr less = *message;
    if (first.iov_len > limit) first.iov_len = limit;
    less.msg_iov = &first;
    less.msg_iovlen = 1;
    return REAL(sendmsg)(descriptor, &less, flags);
}
