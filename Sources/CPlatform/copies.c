#define _GNU_SOURCE
#include "CPlatform.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
// Of <linux/fs.h>, which does not go together with <sys/mount.h>.
#define CLINUX_FICLONE _IOW(0x94, 9, int)
#endif

int cplatform_clone_file(int source, int destination) {
#if defined(__linux__)
    return ioctl(destination, CLINUX_FICLONE, source);
#else
    errno = EOPNOTSUPP;
    return -1;
#endif
}

ssize_t cplatform_copy_range(int source, int destination, size_t count) {
#if defined(SYS_copy_file_range)
    return syscall(SYS_copy_file_range, source, NULL, destination, NULL, count, 0);
#else
    errno = ENOSYS;
    return -1;
#endif
}

int cplatform_rename_to_free_name(const char *path, const char *new_path) {
#if defined(SYS_renameat2)
    // The last is RENAME_NOREPLACE.
    if (syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, new_path, 1) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
#endif
    if (link(path, new_path) != 0) return -1;
    unlink(path);
    return 0;
}

int cplatform_set_times(
    int directory, const char *name, int flags, struct timespec accessed, struct timespec modified) {
    struct timespec times[2] = {accessed, modified};
    return name == NULL ? futimens(directory, times) : utimensat(directory, name, times, flags);
}

int cplatform_copy_times(int directory, const char *name, const struct stat *status) {
#if defined(__APPLE__)
    return cplatform_set_times(directory, name, AT_SYMLINK_NOFOLLOW, status->st_atimespec, status->st_mtimespec);
#else
    return cplatform_set_times(directory, name, AT_SYMLINK_NOFOLLOW, status->st_atim, status->st_mtim);
#endif
}

void *cplatform_open_entries(int directory) { return fdopendir(directory); }

const char *cplatform_next_entry(void *entries, unsigned char *type) {
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(entries);
        if (entry == NULL) return NULL;
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        *type = entry->d_type;
        return name;
    }
}

void cplatform_rewind_entries(void *entries) { rewinddir(entries); }

void cplatform_close_entries(void *entries) { closedir(entries); }
