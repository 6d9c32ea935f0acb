#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
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
    int file;
    do file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); while (file < 0 && errno == EINTR);
    return file;
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

#if defined(__linux__)
static int is_made_up(const struct statfs *volume) {
    switch ((uint32_t)volume->f_type) {
    case 0x00009fa0:  // proc
    case 0x62656572:  // sysfs
    case 0x0027e0eb:  // cgroup
    case 0x63677270:  // cgroup2
    case 0x64626720:  // debugfs
    case 0x74726163:  // tracefs
    case 0x62656570:  // configfs
    case 0x73636673:  // securityfs
    case 0xf97cff8c:  // selinuxfs
    case 0xde5e81e4:  // efivarfs
    case 0x42494e4d:  // binfmt_misc
    case 0x65735543:  // fusectl
        return 1;
    }
    return 0;
}
#endif

int cplatform_is_made_up(const char *directory) {
#if defined(__linux__)
    struct statfs volume;
    return statfs(directory, &volume) == 0 && is_made_up(&volume);
#else
    return 0;
#endif
}

int cplatform_is_in_made_up(int directory) {
#if defined(__linux__)
    struct statfs volume;
    return fstatfs(directory, &volume) == 0 && is_made_up(&volume);
#else
    return 0;
#endif
}

#if defined(SYS_openat2)
// struct open_how of <linux/openat2.h>, which old systems lack, and values of its `resolve`.
struct open_how_below {
    uint64_t flags, mode, resolve;
};
enum { NO_XDEV = 0x01, NO_MAGICLINKS = 0x02, BENEATH = 0x08, CACHED = 0x20 };
#endif

int cplatform_open_below(int directory, const char *path, int flags, mode_t mode) {
#if defined(SYS_openat2)
    struct open_how_below how = {(uint64_t)flags, flags & O_CREAT ? mode & 07777 : 0, BENEATH | NO_MAGICLINKS};
    int file;
    // EAGAIN: a directory was moved while the kernel was in it.
    for (int tries = 0; tries < 64; tries++) {
        file = (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
        if (file >= 0 || (errno != EAGAIN && errno != EINTR)) break;
    }
    // A sandbox that does not know the call may say EPERM.
    if (file >= 0 || (errno != ENOSYS && errno != EPERM)) return file;
#endif
    return cplatform_walk_below(directory, path, flags, mode);
}

int cplatform_open_cached_below(int directory, const char *path, int flags) {
#if defined(SYS_openat2)
    struct open_how_below how = {(uint64_t)flags, 0, BENEATH | NO_MAGICLINKS | NO_XDEV | CACHED};
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
#else
    errno = ENOSYS;
    return -1;
#endif
}

#if !defined(O_PATH)
#define O_PATH 0
#endif

int cplatform_find_below(int directory, const char *path, int follows_links) {
    int flags = O_PATH | O_CLOEXEC | (follows_links ? 0 : O_NOFOLLOW);
    return cplatform_open_below(directory, path, flags, 0);
}

int cplatform_set_permissions_of_found(int found, mode_t mode) {
#if defined(__linux__)
    // fchmodat2(2), since Linux 6.6, is 452 everywhere. A sandbox that does not know the call may say EPERM.
    if (syscall(452, found, "", mode, AT_EMPTY_PATH) == 0) return 0;
    if (errno != ENOSYS && errno != EPERM) return -1;
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", found);
    return chmod(path, mode);
#else
    return fchmod(found, mode);
#endif
}

int cplatform_set_times_of_found(int found, struct timespec accessed, struct timespec modified) {
    struct timespec times[2] = {accessed, modified};
#if defined(__linux__)
    // Since Linux 5.8.
    if (utimensat(found, "", times, AT_EMPTY_PATH) == 0) return 0;
    if (errno != EINVAL) return -1;
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", found);
    return utimensat(AT_FDCWD, path, times, 0);
#else
    return futimens(found, times);
#endif
}

ssize_t cplatform_count_cached(int file, off_t offset, size_t count) {
#if defined(__linux__) && defined(RWF_NOWAIT)
    struct stat status;
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) return -1;
    if (offset >= status.st_size || count == 0) return 0;
    if ((off_t)count > status.st_size - offset) count = (size_t)(status.st_size - offset);
    // struct cachestat_range and struct cachestat of <linux/mman.h>, which old systems lack; cachestat(2) is 451 everywhere.
    struct {
        uint64_t offset, count;
    } range = {(uint64_t)offset, count};
    struct {
        uint64_t cached, dirty, written_back, evicted, recently_evicted;
    } found;
    if (syscall(451, file, &range, &found, 0) != 0) return -1;
    uint64_t page = (uint64_t)getpagesize(), first = range.offset / page, last = (range.offset + count - 1) / page;
    if (found.cached < last - first + 1) return -1;
    // A page that the disk is reading is counted too. Pages come in order, so the last one tells.
    char byte;
    return cplatform_read_cached(file, &byte, 1, offset + (off_t)count - 1) == 1 ? (ssize_t)count : -1;
#else
    return -1;
#endif
}

int cplatform_closes_at_once(int file) {
    struct stat status;
    return fstat(file, &status) == 0 && status.st_nlink > 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
}

int cplatform_walk_below(int directory, const char *path, int flags, mode_t mode) {
    // The directories from the first one down: ".." goes back to the one before, not to where the directory is by now.
    int down[64], depth = 0, links = 0, result = -1;
    char rest[PATH_MAX], name[NAME_MAX + 1];
    size_t length = strlen(path);
    if (length >= sizeof rest) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(rest, path, length + 1);
    for (;;) {
        if (rest[0] == '/') {
            errno = EXDEV;
            break;
        }
        size_t size = strcspn(rest, "/");
        if (size >= sizeof name) {
            errno = ENAMETOOLONG;
            break;
        }
        memcpy(name, rest, size);
        name[size] = 0;
        size_t next = size + strspn(rest + size, "/");
        int is_last = rest[next] == 0, is_slashed = next > size;
        memmove(rest, rest + next, strlen(rest + next) + 1);
        int is_up = strcmp(name, "..") == 0;
        if (is_up && depth == 0) {
            errno = EXDEV;
            break;
        }
        if (is_up) {
            close(down[--depth]);
            strcpy(name, ".");
        }
        if (!is_last && strcmp(name, ".") == 0) continue;
        int here = depth == 0 ? directory : down[depth - 1];
        int how = is_last ? flags | (is_slashed ? O_DIRECTORY : 0) : O_RDONLY | O_DIRECTORY | O_CLOEXEC;
        int file;
        do file = openat(here, name, how | O_NOFOLLOW, mode); while (file < 0 && errno == EINTR);
        char target[PATH_MAX];
        ssize_t count = -1;
        if (file >= 0 && how & O_PATH && !(flags & O_NOFOLLOW)) {
            // Only a descriptor that stands for a link itself has a target.
            count = readlinkat(file, "", target, sizeof target - 2);
            if (count >= 0) {
                close(file);
                file = -1;
                errno = ELOOP;
            }
        }
        if (file < 0) {
            if (errno != ELOOP && errno != ENOTDIR) break;
            // A link, perhaps.
            int error = errno;
            if (count < 0) count = readlinkat(here, name, target, sizeof target - 2);
            if (count < 0 || (is_last && flags & O_NOFOLLOW)) {
                errno = error;
                break;
            }
            if (++links > 40 || (size_t)count + 1 + strlen(rest) >= sizeof rest) {
                errno = links > 40 ? ELOOP : ENAMETOOLONG;
                break;
            }
            target[count] = 0;
            if (!is_last || is_slashed) strcat(target, "/");
            memmove(rest + strlen(target), rest, strlen(rest) + 1);
            memcpy(rest, target, strlen(target));
            continue;
        }
        if (is_last) {
            result = file;
            break;
        }
        if (depth == sizeof down / sizeof down[0]) {
            close(file);
            errno = ENAMETOOLONG;
            break;
        }
        down[depth++] = file;
    }
    int error = errno;
    while (depth > 0) close(down[--depth]);
    errno = error;
    return result;
}
