#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

// The terminals whose settings this process has changed. A signal handler reads them, so each is written before `is_used` is
// set, and nothing is freed.
enum { most = 8 };
static struct terminal {
    volatile sig_atomic_t is_used;
    // Whether `changed` is valid: what to set again when the process goes on after a stop.
    volatile sig_atomic_t is_changed;
    int descriptor;
    struct termios original, changed;
} terminals[most];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void set(int descriptor, const struct termios *settings) {
    int result;
    do result = tcsetattr(descriptor, TCSANOW, settings); while (result != 0 && errno == EINTR);
}

static void restore_all(void) {
    int error = errno;
    for (int i = 0; i < most; i++) {
        if (terminals[i].is_used && terminals[i].is_changed) set(terminals[i].descriptor, &terminals[i].original);
    }
    errno = error;
}

static void change_all_again(void) {
    int error = errno;
    for (int i = 0; i < most; i++) {
        if (!terminals[i].is_used || !terminals[i].is_changed) continue;
        // A process in the background would be stopped by this; when it comes to the front it is told to go on once more.
        pid_t front = tcgetpgrp(terminals[i].descriptor);
        if (front == -1 || front == getpgrp()) set(terminals[i].descriptor, &terminals[i].changed);
    }
    errno = error;
}

// Those that end a process and can be handled.
static const int fatal[] = {SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGTERM, SIGSYS,
    SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGXFSZ};
enum { fatal_count = sizeof fatal / sizeof *fatal };
static struct sigaction earlier[fatal_count];
static struct sigaction earlier_stop, earlier_continue;

static void on_fatal(int signal) {
    restore_all();
    for (int i = 0; i < fatal_count; i++) {
        if (fatal[i] == signal) sigaction(signal, &earlier[i], NULL);
    }
    // It is blocked until this returns.
    raise(signal);
}

static void on_stop(int signal) {
    int error = errno;
    restore_all();
    struct sigaction mine;
    sigaction(signal, &earlier_stop, &mine);
    sigset_t set, before;
    sigemptyset(&set);
    sigaddset(&set, signal);
    raise(signal);
    // Stops here.
    pthread_sigmask(SIG_UNBLOCK, &set, &before);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    sigaction(signal, &mine, NULL);
    change_all_again();
    errno = error;
}

static void on_continue(int signal) {
    (void)signal;
    change_all_again();
}

// Takes a signal that has its default action. One that somebody watches or ignores does not end or stop the process.
static void take(int signal, void (*handler)(int), struct sigaction *before) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, now;
    sigemptyset(&action.sa_mask);
    if (sigaction(signal, NULL, &now) != 0) return;
    if (!(now.sa_flags & SA_SIGINFO) && now.sa_handler == handler) return;
    int is_fault = signal == SIGILL || signal == SIGTRAP || signal == SIGABRT || signal == SIGBUS || signal == SIGFPE
        || signal == SIGSEGV || signal == SIGSYS;
    // A handler of faults, such as Swift's that prints a backtrace, comes afterwards, on its own stack.
    if (!is_fault && ((now.sa_flags & SA_SIGINFO) || now.sa_handler != SIG_DFL)) return;
    if (is_fault) action.sa_flags |= SA_ONSTACK;
    *before = now;
    sigaction(signal, &action, NULL);
}

int cplatform_guards_terminals(void (*handler)(int)) { return handler == on_fatal; }

static void take_signals(void) {
    for (int i = 0; i < fatal_count; i++) take(fatal[i], on_fatal, &earlier[i]);
    take(SIGTSTP, on_stop, &earlier_stop);
    take(SIGCONT, on_continue, &earlier_continue);
}

int cplatform_keep_terminal(int descriptor) {
    static int has_begun;
    pthread_mutex_lock(&lock);
    int number = 0;
    while (number < most && terminals[number].is_used) number++;
    if (number == most) {
        errno = EMFILE;
        number = -1;
    } else {
        struct terminal *terminal = &terminals[number];
        terminal->descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
        if (terminal->descriptor < 0) {
            number = -1;
        } else if (tcgetattr(terminal->descriptor, &terminal->original) != 0) {
            int error = errno;
            close(terminal->descriptor);
            errno = error;
            number = -1;
        } else {
            terminal->is_changed = 0;
            terminal->is_used = 1;
            if (!has_begun) atexit(restore_all);
            has_begun = 1;
        }
    }
    pthread_mutex_unlock(&lock);
    return number;
}

void cplatform_note_terminal(int number) {
    pthread_mutex_lock(&lock);
    struct terminal *terminal = &terminals[number];
    terminal->is_changed = 0;
    if (tcgetattr(terminal->descriptor, &terminal->changed) == 0) terminal->is_changed = 1;
    take_signals();
    pthread_mutex_unlock(&lock);
}

void cplatform_release_terminal(int number) {
    pthread_mutex_lock(&lock);
    struct terminal *terminal = &terminals[number];
    if (terminal->is_changed) {
        terminal->is_changed = 0;
        set(terminal->descriptor, &terminal->original);
    }
    terminal->is_used = 0;
    close(terminal->descriptor);
    pthread_mutex_unlock(&lock);
}

void cplatform_restore_terminals(void) {
    pthread_mutex_lock(&lock);
    restore_all();
    pthread_mutex_unlock(&lock);
}
