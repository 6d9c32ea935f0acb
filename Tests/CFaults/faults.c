#define _GNU_SOURCE
#include "CFaults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

int cfaults_fork(void) { return fork(); }

#if defined(__linux__)
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

int cfaults_forget_openat2(void) {
#if defined(__linux__) && defined(SYS_openat2) && defined(SYS_seccomp)
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof steps / sizeof steps[0], steps};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0 ? 0 : -1;
#else
    return -1;
#endif
}

#if defined(__linux__)
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

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

static _Thread_local int send_error, sends_to_fail;

void cfaults_fail_sends(int error, int count) {
    send_error = error;
    sends_to_fail = count;
}

static int send_fails(void) {
    if (sends_to_fail == 0) return 0;
    sends_to_fail--;
    errno = send_error;
    return 1;
}

ssize_t sendmsg(int socket, const struct msghdr *message, int flags) {
    return send_fails() ? -1 : syscall(SYS_sendmsg, socket, message, flags);
}

int sendmmsg(int socket, struct mmsghdr *messages, unsigned count, int flags) {
    return send_fails() ? -1 : (int)syscall(SYS_sendmmsg, socket, messages, count, flags);
}

static _Thread_local int cached_to_forget;
static _Thread_local size_t cached_at_most = SIZE_MAX;

void cfaults_forget_cached(int count) { cached_to_forget = count; }
void cfaults_shorten_cached(size_t most) { cached_at_most = most; }

ssize_t preadv2(int file, const struct iovec *parts, int count, off_t offset, int flags) {
    if (flags & RWF_NOWAIT && cached_to_forget > 0) {
        cached_to_forget--;
        errno = EAGAIN;
        return -1;
    }
    struct iovec part = parts[0];
    if (flags & RWF_NOWAIT && count == 1 && part.iov_len > cached_at_most) {
        part.iov_len = cached_at_most;
        parts = &part;
    }
    // The high half of the offset is for systems of 32 bits.
    return syscall(SYS_preadv2, file, parts, count, offset, 0, flags);
}

static pthread_mutex_t cut = PTHREAD_MUTEX_INITIALIZER;
static char path_to_cut[4096];
static off_t size_after_cut;

void cfaults_cut_when_found(const char *path, long long size) {
    pthread_mutex_lock(&cut);
    snprintf(path_to_cut, sizeof path_to_cut, "%s", path);
    size_after_cut = size;
    pthread_mutex_unlock(&cut);
}

static void cut_if_it_is(int file) {
    struct stat wanted, found;
    pthread_mutex_lock(&cut);
    if (path_to_cut[0] != 0 && stat(path_to_cut, &wanted) == 0 && fstat(file, &found) == 0 &&
        wanted.st_ino == found.st_ino && wanted.st_dev == found.st_dev && truncate(path_to_cut, size_after_cut) == 0)
        path_to_cut[0] = 0;
    pthread_mutex_unlock(&cut);
}

off_t lseek(int file, off_t offset, int from) {
    off_t found = syscall(SYS_lseek, file, offset, from);
    if (from == 3 /* SEEK_DATA */ && found > offset) cut_if_it_is(file);
    return found;
}

int inotify_add_watch(int watcher, const char *path, uint32_t mask) {
    const char *name = path;
    char target[4096];
    ssize_t size = readlink(path, target, sizeof target - 1);
    if (size > 0 && strncmp(path, "/proc/self/fd/", 14) == 0) {
        target[size] = 0;
        name = target;
    }
    const char *refused = strstr(name, ".refuse-");
    int error = refused != NULL && strchr(refused, '/') == NULL ? atoi(refused + 8) : 0;
    if (error != 0) {
        errno = error;
        return -1;
    }
    return (int)syscall(SYS_inotify_add_watch, watcher, path, mask);
}

static pthread_mutex_t resolver = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t resolver_changed = PTHREAD_COND_INITIALIZER;
static int look_ups_hang, hanging_look_ups;

void cfaults_hang_look_ups(void) {
    pthread_mutex_lock(&resolver);
    look_ups_hang = 1;
    pthread_mutex_unlock(&resolver);
}

void cfaults_let_look_ups_go(void) {
    pthread_mutex_lock(&resolver);
    look_ups_hang = 0;
    pthread_cond_broadcast(&resolver_changed);
    pthread_mutex_unlock(&resolver);
}

int cfaults_hanging_look_ups(void) {
    pthread_mutex_lock(&resolver);
    int count = hanging_look_ups;
    pthread_mutex_unlock(&resolver);
    return count;
}

static void hang(void) {
    pthread_mutex_lock(&resolver);
    hanging_look_ups++;
    while (look_ups_hang) pthread_cond_wait(&resolver_changed, &resolver);
    hanging_look_ups--;
    pthread_mutex_unlock(&resolver);
}

int getaddrinfo(
    const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    static const char ending[] = ".hang.invalid";
    size_t count = host == NULL ? 0 : strlen(host), length = sizeof ending - 1;
    if (count > length && strcmp(host + count - length, ending) == 0) {
        hang();
        return EAI_AGAIN;
    }
    int (*original)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        dlsym(RTLD_NEXT, "getaddrinfo");
    return original(host, service, hints, found);
}

int getnameinfo(
    const struct sockaddr *address, socklen_t size, char *host, socklen_t host_size, char *service,
    socklen_t service_size, int flags) {
    if (address->sa_family == AF_INET) {
        uint32_t number = ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr);
        if (number >> 8 == 0xc00002) {
            hang();
            return EAI_AGAIN;
        }
    }
    int (*original)(const struct sockaddr *, socklen_t, char *, socklen_t, char *, socklen_t, int) =
        dlsym(RTLD_NEXT, "getnameinfo");
    return original(address, size, host, host_size, service, service_size, flags);
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
void cfaults_fail_sends(int error, int count) {}
void cfaults_forget_cached(int count) { (void)count; }
void cfaults_shorten_cached(size_t most) { (void)most; }
void cfaults_cut_when_found(const char *path, long long size) { (void)path; (void)size; }
void cfaults_fail_accept(int error, int call) { (void)error; (void)call; }
void cfaults_hang_look_ups(void) {}
void cfaults_let_look_ups_go(void) {}
int cfaults_hanging_look_ups(void) { return 0; }
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

int cfaults_mount_file(const char *path, const char *onto) {
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return -1;
    return mount(path, onto, NULL, MS_BIND, NULL);
}

#endif

int cfaults_exchange(const char *one, const char *other) {
#if defined(SYS_renameat2)
    return (int)syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, 2);
#else
    return -1;
#endif
}
