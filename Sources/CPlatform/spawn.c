#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
// They do not know that the child's memory is its parent's.
#define IS_SANITIZED
#endif
#endif

#if defined(__linux__) && !defined(IS_SANITIZED)
#include <sys/syscall.h>
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif
#define CLOSE_RANGE_CLOEXEC_FLAG 4

struct start {
    const struct cplatform_child *child;
    char **environment;
    int failure;
};

static void default_signals(void) {
    // The kernel's own structure, all zero: the default action. The C library refuses the two signals that it keeps for itself.
    long action[8] = {0};
    for (int signal = 1; signal <= 64; signal++) {
        if (signal != SIGKILL && signal != SIGSTOP) syscall(SYS_rt_sigaction, signal, action, NULL, 8);
    }
}

static int place_descriptors(const struct cplatform_child *child) {
    int count = child->count;
    int sources[CPLATFORM_MOST_STANDARD_STREAMS];
    // Those that another one is going to replace move away first.
    for (int i = 0; i < count; i++) {
        sources[i] = child->descriptors[i];
        if (sources[i] == -1) {
            do sources[i] = open("/dev/null", O_RDWR | O_CLOEXEC); while (sources[i] == -1 && errno == EINTR);
            if (sources[i] == -1) return -1;
        }
        if (sources[i] < count && sources[i] != i) {
            sources[i] = fcntl(sources[i], F_DUPFD_CLOEXEC, count);
            if (sources[i] == -1) return -1;
        }
    }
    for (int i = 0; i < count; i++) {
        if (sources[i] == i ? fcntl(i, F_SETFD, 0) == -1 : dup2(sources[i], i) == -1) return -1;
        int flags = i <= 2 ? fcntl(i, F_GETFL) : 0;
        if (flags != -1 && flags & O_NONBLOCK) fcntl(i, F_SETFL, flags & ~O_NONBLOCK);
    }
    return (int)syscall(SYS_close_range, count, UINT_MAX, CLOSE_RANGE_CLOEXEC_FLAG);
}

// As execvp(3), with candidates that were made before: memory cannot be had here.
static int execute(const struct cplatform_child *child, char **environment) {
    int refused = 0;
    errno = ENOENT;
    for (char **path = child->candidates; *path != NULL; path++) {
        execve(*path, child->arguments, environment);
        if (errno == ENOEXEC) {
            child->shell_arguments[1] = *path;
            execve("/bin/sh", child->shell_arguments, environment);
            return errno;
        }
        if (errno == EACCES) {
            refused = 1;
        } else if (errno != ENOENT && errno != ENOTDIR && errno != ESTALE && errno != ENODEV) {
            return errno;
        }
    }
    return refused ? EACCES : errno;
}

// In the child, whose memory is the parent's. The parent's thread is suspended until this has ended, and other threads run on:
// nothing may be done but system calls.
static int become(void *pointer) {
    struct start *start = pointer;
    const struct cplatform_child *child = start->child;
    default_signals();
    uint64_t none = 0;
    if (child->is_detached) setsid();
    if (place_descriptors(child) != 0 || (child->directory != NULL && chdir(child->directory) != 0)) {
        start->failure = errno;
        _exit(127);
    }
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8);
    start->failure = execute(child, start->environment);
    _exit(127);
}

int cplatform_can_start_child(void) {
    static int answer = -1;
    if (answer < 0) answer = syscall(SYS_close_range, UINT_MAX, UINT_MAX, CLOSE_RANGE_CLOEXEC_FLAG) == 0;
    return answer;
}

int cplatform_start_child(const struct cplatform_child *child, int *descriptor) {
    // The child needs little of it.
    _Alignas(16) char stack[16 << 10];
    struct start start = {child, child->environment != NULL ? child->environment : environ, 0};
    char *second = child->shell_arguments[1];
    // Where nobody wants to hear of children the system forgets how they have ended.
    struct sigaction action;
    if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN) signal(SIGCHLD, SIG_DFL);
    sigset_t all, before;
    sigfillset(&all);
    // A handler must not run in the child.
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int process = clone(become, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &start, descriptor);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    // The child's memory was ours.
    child->shell_arguments[1] = second;
    if (process == -1) {
        errno = error;
        return -1;
    }
    if (start.failure == 0) return process;
    while (waitpid(process, NULL, 0) == -1 && errno == EINTR) {}
    close(*descriptor);
    errno = start.failure;
    return -1;
}

#else

int cplatform_can_start_child(void) { return 0; }

int cplatform_start_child(const struct cplatform_child *child, int *descriptor) {
    (void)child;
    (void)descriptor;
    errno = ENOSYS;
    return -1;
}

#endif
