#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/sendfile.h>
#include <sys/syscall.h>
#endif

ssize_t clinux_append(int file, const void *bytes, size_t count) {
#if defined(RWF_APPEND)
    struct iovec part = {(void *)bytes, count};
    ssize_t written = pwritev2(file, &part, 1, -1, RWF_APPEND);
    if (written >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS)) return written;
#endif
    if (lseek(file, 0, SEEK_END) < 0 && errno != ESPIPE) return -1;
    return write(file, bytes, count);
}

ssize_t clinux_read_cached(int file, void *buffer, size_t count, off_t offset) {
#if defined(RWF_NOWAIT)
    struct iovec part = {buffer, count};
    return preadv2(file, &part, 1, offset, RWF_NOWAIT);
#else
    errno = EOPNOTSUPP;
    return -1;
#endif
}

ssize_t clinux_send_file(int destination, int source, off_t offset, size_t count) {
#if defined(__linux__)
    return sendfile(destination, source, &offset, count);
#else
    errno = ENOSYS;
    return -1;
#endif
}

int clinux_open_cached(const char *path) {
#if defined(SYS_openat2)
    // struct open_how of <linux/openat2.h>, which old systems lack; the last is RESOLVE_CACHED.
    struct {
        uint64_t flags, mode, resolve;
    } how = {O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0, 0x20};
    return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
#else
    errno = ENOSYS;
    return -1;
#endif
}
