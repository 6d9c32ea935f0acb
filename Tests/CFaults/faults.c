#define _GNU_SOURCE
#include "CFaults.h"

#include <errno.h>
#include <unistd.h>

int cfaults_fork(void) { return fork(); }

#if defined(__linux__)
#include <sys/socket.h>
#include <sys/syscall.h>

static _Thread_local int accept_error, calls_left;

void cfaults_fail_accept(int error, int call) {
    accept_error = error;
    calls_left = call;
}

// The linker finds this one before the C library's.
int accept4(int listener, struct sockaddr *address, socklen_t *size, int flags) {
    if (calls_left > 0 && --calls_left == 0) {
        errno = accept_error;
        return -1;
    }
    return (int)syscall(SYS_accept4, listener, address, size, flags);
}
#else
void cfaults_fail_accept(int error, int call) { (void)error; (void)call; }
#endif

#if defined(__linux__)
#include <sched.h>
#include <sys/mount.h>

int cfaults_mount_small_volume(const char *path, const char *options) {
    // In a world of the process's own: the mount ends with it.
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return -1;
    return mount("none", path, "tmpfs", 0, options);
}

void cfaults_unmount(const char *path) { umount2(path, MNT_DETACH); }
#endif
