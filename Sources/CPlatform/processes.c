#define _GNU_SOURCE
#include "CPlatform.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#define CLOSE_RANGE_UNSHARE_FLAG 2
#define CLOSE_RANGE_CLOEXEC_FLAG 4
#endif

struct private_call {
    void (*body)(void *);
    void *context;
    int lowest;
};

// For systems before Linux 5.11: the flags are set for the whole process.
static void keep_all_from_children(void) {
    DIR *list = opendir("/proc/self/fd");
    if (list == NULL) return;
    struct dirent *entry;
    while ((entry = readdir(list)) != NULL) {
        int descriptor = atoi(entry->d_name);
        if (descriptor > 2) fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    }
    closedir(list);
}

// No number below `lowest` is free during the call.
static void call_with_fillers(const struct private_call *call) {
    int fillers[call->lowest > 0 ? call->lowest : 1];
    int count = 0;
    while (count < call->lowest) {
        int filler;
        do filler = open("/dev/null", O_RDONLY | O_CLOEXEC); while (filler < 0 && errno == EINTR);
        if (filler < 0) break;
        if (filler >= call->lowest) {
            close(filler);
            break;
        }
        fillers[count++] = filler;
    }
    call->body(call->context);
    while (count > 0) close(fillers[--count]);
}

#if defined(__linux__)
static void *call_with_private_descriptors(void *call) {
    if (syscall(SYS_close_range, 3, UINT_MAX, CLOSE_RANGE_UNSHARE_FLAG | CLOSE_RANGE_CLOEXEC_FLAG) != 0) {
        keep_all_from_children();
    }
    call_with_fillers(call);
    return NULL;
}
#endif

void cplatform_call_with_private_descriptors(int lowest, void (*body)(void *), void *context) {
    struct private_call call = {body, context, lowest};
#if defined(__linux__)
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 << 10);
    int error = pthread_create(&thread, &attributes, call_with_private_descriptors, &call);
    pthread_attr_destroy(&attributes);
    if (error == 0) {
        pthread_join(thread, NULL);
        return;
    }
#endif
    keep_all_from_children();
    call_with_fillers(&call);
}

int cplatform_process_descriptor(int process) {
#if defined(__linux__)
    return (int)syscall(SYS_pidfd_open, process, 0);
#else
    (void)process;
    errno = ENOSYS;
    return -1;
#endif
}

int cplatform_look_at_end(int process, int *exit_status, int *signal) {
    siginfo_t found = {0};
    int result;
    do result = waitid(P_PID, (id_t)process, &found, WEXITED | WNOHANG | WNOWAIT); while (result == -1 && errno == EINTR);
    if (result == -1 || found.si_pid == 0) return result;
    *exit_status = found.si_code == CLD_EXITED ? found.si_status : 0;
    *signal = found.si_code == CLD_EXITED ? 0 : found.si_status;
    return process;
}

int cplatform_reap(int process, int *exit_status, int *signal) {
    int status = 0;
    int result;
    do result = (int)waitpid(process, &status, WNOHANG); while (result == -1 && errno == EINTR);
    if (result <= 0) return result;
    *exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    *signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return result;
}
