#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

static _Thread_local void *slot;

void *cplatform_thread_slot(void) { return slot; }

void cplatform_set_thread_slot(void *pointer) { slot = pointer; }

static _Thread_local int64_t test_time;

int64_t cplatform_test_time(void) { return test_time; }

void cplatform_set_test_time(int64_t nanoseconds) { test_time = nanoseconds; }

struct start {
    void (*body)(void *);
    void *context;
};

static void *run(void *pointer) {
    struct start start = *(struct start *)pointer;
    free(pointer);
    start.body(start.context);
    return NULL;
}

int cplatform_start_thread(void (*body)(void *), void *context, size_t stack_size, uintptr_t *joinable) {
    struct start *start = malloc(sizeof *start);
    if (start == NULL) return ENOMEM;
    *start = (struct start){body, context};
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_size);
    if (joinable == NULL) pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int error = pthread_create(&thread, &attributes, run, start);
    pthread_attr_destroy(&attributes);
    if (error != 0) {
        free(start);
    } else if (joinable != NULL) {
        *joinable = (uintptr_t)thread;
    }
    return error;
}

void cplatform_join_thread(uintptr_t thread) { pthread_join((pthread_t)thread, NULL); }

struct cplatform_lock {
    pthread_mutex_t mutex;
};

struct cplatform_lock *cplatform_lock_create(void) {
    struct cplatform_lock *lock = malloc(sizeof *lock);
    if (lock == NULL || pthread_mutex_init(&lock->mutex, NULL) != 0) abort();
    return lock;
}

void cplatform_lock_destroy(struct cplatform_lock *lock) {
    pthread_mutex_destroy(&lock->mutex);
    free(lock);
}

void cplatform_lock(struct cplatform_lock *lock) { pthread_mutex_lock(&lock->mutex); }

void cplatform_unlock(struct cplatform_lock *lock) { pthread_mutex_unlock(&lock->mutex); }


int cplatform_is_main_thread(void) {
#if defined(__linux__)
    return syscall(SYS_gettid) == getpid();
#else
    return pthread_main_np();
#endif
}

static void (*park_loops)(void);
static int (*running_work)(void);
static pid_t process;

#if defined(__GLIBC__)
// libuv joins its threads when its library is unloaded, for ever if one of them is blocked.
static void leave_blocked_threads(int status) {
    for (int waited = 0; running_work() > 0; waited++) {
        if (waited == 100) {
            // A blocked thread may hold the lock of a stream, most likely of stdin.
            FILE *streams[] = {stdout, stderr};
            for (int i = 0; i < 2; i++) {
                if (ftrylockfile(streams[i]) == 0) fflush_unlocked(streams[i]);
            }
            _exit(status);
        }
        usleep(10000);
    }
}
#endif

// Runs before libuv's own clean-up. The child of a fork has none of the threads that would have to be parked.
static void before_exit(int status, void *unused) {
    (void)unused;
    if (getpid() == process) park_loops();
#if defined(__GLIBC__)
    leave_blocked_threads(status);
#else
    (void)status;
#endif
}

#if !defined(__GLIBC__)
static void at_exit(void) { before_exit(0, NULL); }
#endif

void cplatform_prepare_exit(void (*park)(void), int (*running)(void)) {
    park_loops = park;
    running_work = running;
    process = getpid();
#if defined(__GLIBC__)
    on_exit(before_exit, NULL);
#else
    atexit(at_exit);
#endif
}

void cplatform_park(void) {
    for (;;) pause();
}

void cplatform_unblock_signal(int signal) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
