#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#include <sys/uio.h>
#endif

#if defined(__has_include)
#if __has_include(<execinfo.h>)
#include <execinfo.h>
#define HAS_BACKTRACE 1
#endif
#endif

int cplatform_peek(uintptr_t address, uintptr_t *words, int count) {
    if (address == 0 || address % sizeof(uintptr_t) != 0) return 0;
    size_t size = (size_t)count * sizeof(uintptr_t);
#if defined(__linux__)
    struct iovec to = {words, size}, from = {(void *)address, size};
    return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)size;
#else
    memcpy(words, (const void *)address, size);
    return 1;
#endif
}

// By the chain of frame pointers: for a C library that has no backtrace().
static int __attribute__((unused)) walk(uintptr_t frame, uintptr_t *frames, int most) {
    int count = 0;
    uintptr_t words[2];
    while (count < most && cplatform_peek(frame, words, 2) && words[1] != 0) {
        frames[count++] = words[1];
        if (words[0] <= frame) break;
        frame = words[0];
    }
    return count;
}

int cplatform_backtrace(uintptr_t *frames, int most) {
#if HAS_BACKTRACE
    // The first is this function.
    uintptr_t found[cplatform_most_frames + 1];
    if (most > cplatform_most_frames) most = cplatform_most_frames;
    int count = backtrace((void **)found, most + 1) - 1;
    if (count < 0) count = 0;
    memcpy(frames, found + 1, (size_t)count * sizeof *frames);
    return count;
#else
    return walk((uintptr_t)__builtin_frame_address(0), frames, most);
#endif
}

uintptr_t cplatform_thread(void) {
#if defined(__linux__)
    return (uintptr_t)syscall(SYS_gettid);
#else
    return (uintptr_t)pthread_self();
#endif
}

// A thread that has ended is an error on Linux: its number is looked up, its memory is not.
static int signal_thread(uintptr_t thread, int signal) {
#if defined(__linux__)
    return syscall(SYS_tgkill, getpid(), (pid_t)thread, signal) == 0 ? 0 : errno;
#else
    return pthread_kill((pthread_t)thread, signal);
#endif
}

int cplatform_waits_for_events(uintptr_t thread, int descriptor) {
#if defined(__linux__)
    char path[64], text[128];
    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", (int)thread);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t size = read(file, text, sizeof text - 1);
    close(file);
    if (size <= 0) return -1;
    text[size] = 0;
    long number;
    unsigned long first;
    // "running", or the number and the arguments of the system call that the thread is blocked in.
    if (sscanf(text, "%ld %lx", &number, &first) != 2) return 0;
    int waits = number == SYS_epoll_pwait;
#if defined(SYS_epoll_wait)
    waits |= number == SYS_epoll_wait;
#endif
#if defined(SYS_epoll_pwait2)
    waits |= number == SYS_epoll_pwait2;
#endif
    return waits && first == (unsigned long)descriptor;
#else
    (void)thread, (void)descriptor;
    return -1;
#endif
}

// A capture: one thread asks another one, by a signal, for its own backtrace.

enum { idle, asked, answering };

static _Atomic int state = idle;
static uintptr_t target;
static struct cplatform_capture capture;
static int wanted = 0;
static int (*_Atomic task_source)(uintptr_t *, int, char *, size_t);

void cplatform_set_task_source(int (*source)(uintptr_t *frames, int most, char *name, size_t size)) {
    atomic_store(&task_source, source);
}

int cplatform_current_task(uintptr_t *frames, int most, char *name, size_t size) {
    int (*source)(uintptr_t *, int, char *, size_t) = atomic_load(&task_source);
    name[0] = 0;
    return source ? source(frames, most, name, size) : -1;
}

static void answer(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)info, (void)context;
    int expected = asked;
    if (cplatform_thread() != target) return;
    if (!atomic_compare_exchange_strong(&state, &expected, answering)) return;
    int error = errno;
#if HAS_BACKTRACE
    capture.count = backtrace((void **)capture.frames, cplatform_most_frames);
#else
    capture.count = walk((uintptr_t)__builtin_frame_address(0), capture.frames, cplatform_most_frames);
#endif
    capture.interrupted = 0;
#if defined(__linux__) && defined(__x86_64__)
    capture.interrupted = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__linux__) && defined(__aarch64__)
    capture.interrupted = (uintptr_t)((ucontext_t *)context)->uc_mcontext.pc;
#endif
    capture.task_count = cplatform_current_task(
        capture.task_frames, cplatform_most_frames, capture.task_name, sizeof capture.task_name);
    errno = error;
    atomic_store(&state, idle);
}

// One that nobody uses: the last ones are the least popular.
static int first_choice(void) {
#if defined(SIGRTMIN)
    return SIGRTMAX - 3;
#else
    return SIGINFO;
#endif
}

static int last_choice(void) {
#if defined(SIGRTMIN)
    return SIGRTMIN;
#else
    return SIGINFO;
#endif
}

static int install(void) {
    for (int number = first_choice(); number >= last_choice(); number--) {
        struct sigaction before;
        if (sigaction(number, NULL, &before) != 0 || before.sa_handler != SIG_DFL) continue;
        struct sigaction action = {0};
        action.sa_sigaction = answer;
        action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
        sigfillset(&action.sa_mask);
        if (sigaction(number, &action, NULL) != 0) continue;
        wanted = number;
        // backtrace() loads its library at its first call, which a handler of a signal must not.
        uintptr_t frames[4];
        cplatform_backtrace(frames, 4);
        return 0;
    }
    return EBUSY;
}

static int install_result;

static void install_once(void) { install_result = install(); }

int cplatform_prepare_captures(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install_once);
    return install_result;
}

void cplatform_allow_captures(void) {
    cplatform_unblock_signal(wanted != 0 ? wanted : first_choice());
}

int cplatform_capture(uintptr_t thread, struct cplatform_capture *result, int milliseconds) {
    // The answer to an earlier question may still be on its way.
    if (wanted == 0 || atomic_load(&state) != idle) return 0;
    target = thread;
    atomic_store(&state, asked);
    if (signal_thread(target, wanted) != 0) {
        atomic_store(&state, idle);
        return 0;
    }
    const struct timespec pause = {0, 1000000};
    for (int waited = 0; waited < milliseconds; waited++) {
        if (atomic_load(&state) == idle) {
            *result = capture;
            return 1;
        }
        nanosleep(&pause, NULL);
    }
    int expected = asked;
    if (!atomic_compare_exchange_strong(&state, &expected, idle) && expected == idle) {
        *result = capture;
        return 1;
    }
    return 0;
}

// A signal that asks for reports. Its handler wakes a thread, because it may not do anything itself.

static int requests[2] = {-1, -1};

static void request(int signal) {
    int error = errno;
    ssize_t written = write(requests[1], &signal, 1);
    (void)written;
    errno = error;
}

static int open_requests(void) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    int error = 0;
    pthread_mutex_lock(&lock);
    if (requests[0] < 0) {
        int ends[2];
#if defined(__linux__)
        error = pipe2(ends, O_CLOEXEC) != 0 ? errno : 0;
#else
        error = pipe(ends) != 0 ? errno : 0;
        for (int index = 0; error == 0 && index < 2; index++) fcntl(ends[index], F_SETFD, FD_CLOEXEC);
#endif
        if (error == 0) {
            fcntl(ends[1], F_SETFL, O_NONBLOCK);
            memcpy(requests, ends, sizeof ends);
        }
    }
    pthread_mutex_unlock(&lock);
    return error;
}

int cplatform_request_on(int signal) {
    int error = open_requests();
    if (error != 0) return error;
    struct sigaction before, action = {0};
    if (sigaction(signal, NULL, &before) != 0) return errno;
    // A terminal needs nothing at a signal that does not end the process any more.
    int is_free = before.sa_handler == SIG_DFL || before.sa_handler == request
        || cplatform_guards_terminals(before.sa_handler);
    if (!is_free) return EBUSY;
    action.sa_handler = request;
    action.sa_flags = SA_RESTART | SA_ONSTACK;
    return sigaction(signal, &action, NULL) == 0 ? 0 : errno;
}

int cplatform_reports_on(int signal) {
    struct sigaction now;
    return sigaction(signal, NULL, &now) == 0 && now.sa_handler == request;
}

int cplatform_wait_for_request(void) {
    char signal;
    ssize_t size;
    do size = read(requests[0], &signal, 1);
    while (size < 0 && errno == EINTR);
    return size == 1;
}
