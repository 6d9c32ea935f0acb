#define _GNU_SOURCE
#include "CLinux.h"

#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

static _Thread_local void *slot;

void *clinux_thread_slot(void) { return slot; }

void clinux_set_thread_slot(void *pointer) { slot = pointer; }

int clinux_is_main_thread(void) {
#if defined(__linux__)
    return syscall(SYS_gettid) == getpid();
#else
    return pthread_main_np();
#endif
}
