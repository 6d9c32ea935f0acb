#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#endif

ssize_t cplatform_append(int file, const void *bytes, size_t count) {
#if defined(RWF_APPEND)
    struct iovec part = {(void *)bytes, count};
    ssize_t written = pwritev2(file, &part, 1, -1, RWF_APPEND);
    if (written >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS)) return written;
#endif
    if (lseek(file, 0, SEEK_END) < 0 && errno != ESPIPE) return -1;
    return write(file, bytes, count);
}

ssize_t cplatform_send(int from, off_t offset, size_t count, int to) {
#if defined(__linux__)
    ssize_t sent = sendfile(to, from, &offset, count);
    if (sent >= 0 || (errno != EINVAL && errno != ENOSYS)) return sent;
#endif
    // Some file systems have nothing to send from.
    char buffer[16384];
    ssize_t there = pread(from, buffer, count < sizeof buffer ? count : sizeof buffer, offset);
    return there <= 0 ? there : write(to, buffer, (size_t)there);
}

ssize_t cplatform_read_cached(int file, void *buffer, size_t count, off_t offset) {
#if defined(RWF_NOWAIT)
    struct iovec part = {buffer, count};
    return preadv2(file, &part, 1, offset, RWF_NOWAIT);
#else
    errno = EOPNOTSUPP;
    return -1;
#endif
}

void cplatform_read_in_order(int file) {
#if defined(POSIX_FADV_SEQUENTIAL)
    (void)posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL);
#else
    (void)file;
#endif
}

int cplatform_find_cached(const char *path, struct cplatform_found *found) {
#if defined(SYS_openat2) && defined(STATX_SIZE)
    // struct open_how of <linux/openat2.h>, which old systems lack; the last is RESOLVE_CACHED.
    struct {
        uint64_t flags, mode, resolve;
    } how = {O_PATH | O_CLOEXEC, 0, 0x20};
    int file = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
    if (file < 0) return -1;
    struct statx status;
    if (statx(file, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_SIZE, &status) != 0) {
        int error = errno;
        close(file);
        errno = error;
        return -1;
    }
    found->device = makedev(status.stx_dev_major, status.stx_dev_minor);
    found->size = (int64_t)status.stx_size;
    found->is_regular = S_ISREG(status.stx_mode);
    return file;
#else
    errno = ENOSYS;
    return -1;
#endif
}

int cplatform_open_found(int found) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", found);
    return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

int cplatform_is_local(int file) {
#if defined(__linux__)
    struct statfs volume;
    if (fstatfs(file, &volume) != 0) return 0;
    switch ((uint32_t)volume.f_type) {
    case 0x0000ef53:  // ext2, ext3, ext4
    case 0x58465342:  // XFS
    case 0x9123683e:  // Btrfs
    case 0xf2f52010:  // F2FS
    case 0x2fc12fc1:  // ZFS
    case 0xca451a4e:  // bcachefs
    case 0x01021994:  // tmpfs
    case 0x858458f6:  // ramfs
    case 0x794c7630:  // overlayfs
    case 0x73717368:  // SquashFS
    case 0xe0f5e1e2:  // EROFS
        return 1;
    }
#endif
    return 0;
}
