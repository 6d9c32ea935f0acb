#define _GNU_SOURCE
#include "CFaults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

int cfaults_fork(void) { return fork(); }

#if defined(__linux__)
#include <sys/fanotify.h>
#include <sys/mount.h>
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

// The kernel asks a listener of fanotify for permission. Ours never answers; closing it says yes to all.
static int hold(const char *path, uint64_t calls) {
    int listener = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY);
    if (listener < 0) return -1;
    if (fanotify_mark(listener, FAN_MARK_ADD, calls, AT_FDCWD, path) == 0) return listener;
    close(listener);
    return -1;
}

int cfaults_hold_opens(const char *path, int folder) {
    return hold(path, FAN_OPEN_PERM | (folder ? FAN_EVENT_ON_CHILD : 0));
}

int cfaults_hold_reads(const char *path) { return hold(path, FAN_ACCESS_PERM); }

int cfaults_mount_small(const char *path, int bytes) {
    char options[32];
    snprintf(options, sizeof options, "size=%d", bytes);
    return mount("tmpfs", path, "tmpfs", 0, options);
}

int cfaults_unmount(const char *path) { return umount2(path, MNT_DETACH); }
#else
void cfaults_fail_accept(int error, int call) { (void)error; (void)call; }
int cfaults_hold_opens(const char *path, int folder) { (void)path; (void)folder; return -1; }
int cfaults_hold_reads(const char *path) { (void)path; return -1; }
int cfaults_mount_small(const char *path, int bytes) { (void)path; (void)bytes; return -1; }
int cfaults_unmount(const char *path) { (void)path; return -1; }
#endif

#if defined(__linux__)
#include <sched.h>
#include <sys/mount.h>

int cfaults_mount_small_volume(const char *path, const char *options) {
    // In a world of the process's own: the mount ends with it.
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return -1;
    return mount("none", path, "tmpfs", 0, options);
}

#endif
