#define _GNU_SOURCE
#include "CReadiness.h"

#if defined(__linux__)

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Process for each connection

static void echo(int connection) {
    char bytes[65536];
    for (;;) {
        ssize_t count = recv(connection, bytes, sizeof bytes, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return;
        for (ssize_t done = 0; done < count;) {
            ssize_t sent = send(connection, bytes + done, count - done, MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR) continue;
            if (sent < 0) return;
            done += sent;
        }
    }
}

int readiness_fork_echo(int connection) {
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        signal(SIGTERM, SIG_DFL);
        signal(SIGINT, SIG_DFL);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(0);      // the parent died before the line above
        // Keep the connection only: a second holder of the listener or of another connection would keep it open.
        int kept = 3;
        if (connection != kept && dup2(connection, kept) < 0) _exit(1);
        syscall(SYS_close_range, 0, 2, 0);
        syscall(SYS_close_range, 4, ~0U, 0);
        echo(kept);
        _exit(0);
    }
    return child < 0 ? -errno : child;
}

int readiness_open_child(int child) {
    int descriptor = syscall(SYS_pidfd_open, child, 0);
    if (descriptor >= 0) return descriptor;
    int error = errno;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return -error;
}

int readiness_end_child(int child) {
    siginfo_t status;
    syscall(SYS_pidfd_send_signal, child, SIGKILL, NULL, 0);
    while (waitid(P_PIDFD, child, &status, WEXITED) < 0)
        if (errno != EINTR) break;
    return close(child) < 0 ? -errno : 0;
}

// Termination

static void termination(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
}

int readiness_block_termination(void) {
    sigset_t set;
    termination(&set);
    return -pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int readiness_wait_termination(void) {
    sigset_t set;
    int number;
    termination(&set);
    int error = sigwait(&set, &number);
    return error ? -error : number;
}

// Signal-driven IO

static atomic_uint arrivals;

static void note_arrival(int number) {
    (void)number;
    atomic_fetch_add(&arrivals, 1);
}

int readiness_signal_io_start(int descriptor) {
    // A real-time signal: SIGIO itself, when the queue of real-time signals is full, means "look at all of them".
    int number = SIGRTMIN + 4;
    struct sigaction action = {.sa_handler = note_arrival, .sa_flags = SA_RESTART};
    struct f_owner_ex owner = {.type = F_OWNER_TID, .pid = (pid_t)syscall(SYS_gettid)};
    if (sigaction(number, &action, NULL) < 0 || sigaction(SIGIO, &action, NULL) < 0) return -errno;
    if (fcntl(descriptor, F_SETOWN_EX, &owner) < 0 || fcntl(descriptor, F_SETSIG, number) < 0) return -errno;
    // Threads that libdispatch starts, and theirs, have all signals blocked.
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    sigaddset(&set, SIGIO);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 || fcntl(descriptor, F_SETFL, flags | O_ASYNC) < 0 ? -errno : 0;
}

unsigned readiness_signal_io_arrivals(void) { return atomic_load(&arrivals); }

int readiness_signal_io_stop(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 || fcntl(descriptor, F_SETFL, flags & ~O_ASYNC) < 0 ? -errno : 0;
}

// Clocks

static int64_t now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int64_t readiness_clock(void) { return now(CLOCK_MONOTONIC); }

int64_t readiness_thread_cpu_clock(void) { return now(CLOCK_THREAD_CPUTIME_ID); }

long readiness_thread_sleeps(void) {
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) < 0 ? -errno : usage.ru_nvcsw;
}

int readiness_sleep_until(int64_t nanoseconds) {
    struct timespec time = {.tv_sec = nanoseconds / 1000000000LL, .tv_nsec = nanoseconds % 1000000000LL};
    int error;
    do error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL); while (error == EINTR);
    return -error;
}

#endif
