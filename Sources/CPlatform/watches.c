#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>

#if defined(__linux__)
#include <sys/inotify.h>

_Static_assert(CPLATFORM_CREATED == IN_CREATE && CPLATFORM_REMOVED == IN_DELETE && CPLATFORM_OVERFLOW == IN_Q_OVERFLOW, "inotify");
_Static_assert(CPLATFORM_MOVED_FROM == IN_MOVED_FROM && CPLATFORM_IS_DIRECTORY == IN_ISDIR, "inotify");

int cplatform_open_watches(void) { return inotify_init1(IN_NONBLOCK | IN_CLOEXEC); }

int cplatform_add_watch(int watches, const char *path, uint32_t mask) { return inotify_add_watch(watches, path, mask); }

void cplatform_remove_watch(int watches, int watch) { inotify_rm_watch(watches, watch); }

size_t cplatform_change_at(const void *buffer, size_t size, size_t offset, struct cplatform_change *change) {
    struct inotify_event event;
    if (size < sizeof event || offset > size - sizeof event) return 0;
    const char *at = (const char *)buffer + offset;
    __builtin_memcpy(&event, at, sizeof event);
    if (event.len > size - offset - sizeof event) return 0;
    change->watch = event.wd;
    change->mask = event.mask;
    change->cookie = event.cookie;
    change->name = event.len > 0 ? at + sizeof event : NULL;
    return offset + sizeof event + event.len;
}

#else

int cplatform_open_watches(void) {
    errno = ENOSYS;
    return -1;
}

int cplatform_add_watch(int watches, const char *path, uint32_t mask) {
    (void)watches, (void)path, (void)mask;
    errno = ENOSYS;
    return -1;
}

void cplatform_remove_watch(int watches, int watch) { (void)watches, (void)watch; }

size_t cplatform_change_at(const void *buffer, size_t size, size_t offset, struct cplatform_change *change) {
    (void)buffer, (void)size, (void)offset, (void)change;
    return 0;
}

#endif
