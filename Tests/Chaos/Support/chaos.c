#define _GNU_SOURCE
#include "CChaos.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { LINES = 64, WIDTH = 160 };

static char lines[LINES][WIDTH];
static atomic_uint line_count;
static _Atomic uint64_t seed_of_round;
static atomic_int layer_of_round;
static atomic_long last_beat;
static int patience;

static void say(const char *text) { (void)!syscall(SYS_write, 2, text, strlen(text)); }

static void print_box(void) {
    char text[WIDTH + 96];
    snprintf(text, sizeof text, "\nseed %llu of layer %s: replay with Scripts/chaos --layer %s --seed %llu --rounds 1\n",
        (unsigned long long)seed_of_round, layer_of_round ? "async" : "callbacks", layer_of_round ? "async" : "callbacks",
        (unsigned long long)seed_of_round);
    say(text);
    unsigned count = line_count, first = count > LINES ? count - LINES : 0;
    for (unsigned line = first; line < count; line++) {
        snprintf(text, sizeof text, "  %4u %s\n", line, lines[line % LINES]);
        say(text);
    }
}

void chaos_fail(const char *text) {
    print_box();
    say("FAILED: ");
    say(text);
    say("\n");
    signal(SIGABRT, SIG_DFL);
    abort();
}

static struct sigaction earlier[65];

static void died(int number, siginfo_t *info, void *context) {
    print_box();
    char text[160];
    snprintf(text, sizeof text, "signal %d (%d) at %p, sent by %d, in thread %ld of process %ld\n", number, info->si_code,
        info->si_addr, info->si_code <= 0 ? info->si_pid : 0, syscall(SYS_gettid), syscall(SYS_getpid));
    say(text);
    void *frames[40];
    backtrace_symbols_fd(frames, backtrace(frames, 40), 2);
    sigaction(number, &earlier[number], NULL);
    // The instruction that trapped runs again, and the earlier handler tells where.
    if (info->si_code <= 0) raise(number);
    (void)context;
}

void chaos_begin(uint64_t seed, int layer) {
    static int is_watched;
    if (!is_watched) {
        is_watched = 1;
        const int deadly[] = {SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT};
        for (unsigned index = 0; index < sizeof deadly / sizeof *deadly; index++) {
            struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
            action.sa_sigaction = died;
            sigaction(deadly[index], &action, &earlier[deadly[index]]);
        }
    }
    line_count = 0;
    seed_of_round = seed;
    layer_of_round = layer;
}

void chaos_note(const char *text) {
    unsigned line = line_count++;
    snprintf(lines[line % LINES], WIDTH, "%s", text);
}

static long seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

// In Swift.
void chaos_print_pending(void);

static void *watch(void *nothing) {
    (void)nothing;
    for (;;) {
        struct timespec second = {1, 0};
        syscall(SYS_nanosleep, &second, NULL);
        if (seconds_now() - last_beat <= patience) continue;
        chaos_print_pending();
        chaos_fail("nothing has happened for too long: a hang");
    }
    return NULL;
}

void chaos_beat(void) { last_beat = seconds_now(); }

void chaos_watch(int seconds) {
    patience = seconds;
    chaos_beat();
    pthread_t thread;
    pthread_create(&thread, NULL, watch, NULL);
}

static int each_descriptor(int prints) {
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    if (folder == NULL) return -1;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(folder)) continue;
        count++;
        if (!prints) continue;
        char path[64], target[128], text[512];
        snprintf(path, sizeof path, "/proc/self/fd/%.20s", entry->d_name);
        ssize_t size = readlink(path, target, sizeof target - 1);
        target[size < 0 ? 0 : size] = 0;
        snprintf(text, sizeof text, "  descriptor %s: %s\n", entry->d_name, target);
        say(text);
    }
    closedir(folder);
    return count;
}

int chaos_descriptors(void) { return each_descriptor(0); }
void chaos_list_descriptors(void) { each_descriptor(1); }

static uint8_t byte_at(uint8_t stream, uint64_t place) {
    return place == 0 ? stream : (uint8_t)(((place * 0x9E3779B97F4A7C15ull) >> 40) + stream);
}

void chaos_fill(uint8_t *bytes, size_t count, uint8_t stream, uint64_t place) {
    for (size_t index = 0; index < count; index++) bytes[index] = byte_at(stream, place + index);
}

long chaos_check(const uint8_t *bytes, size_t count, uint8_t stream, uint64_t place) {
    for (size_t index = 0; index < count; index++)
        if (bytes[index] != byte_at(stream, place + index)) return (long)index;
    return -1;
}

static int connected(int family, const void *address, socklen_t size) {
    int made = (int)syscall(SYS_socket, family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made < 0) return -1;
    if (syscall(SYS_connect, made, address, size) == 0 || errno == EINPROGRESS) return made;
    chaos_close(made);
    return -1;
}

int chaos_connect(uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connected(AF_INET, &address, sizeof address);
}

int chaos_connect_local(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return connected(AF_UNIX, &address, sizeof address);
}

int chaos_pair(int *one, int *other) {
    int both[2];
    if (syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both) != 0) return -1;
    *one = both[0];
    *other = both[1];
    return 0;
}

long chaos_send(int socket, uint8_t stream, uint64_t place, size_t count) {
    uint8_t bytes[16384];
    if (count > sizeof bytes) count = sizeof bytes;
    chaos_fill(bytes, count, stream, place);
    long sent = syscall(SYS_sendto, socket, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT, NULL, 0);
    return sent < 0 ? 0 : sent;
}

static int take(int descriptor, int is_socket, int *stream, uint64_t *place) {
    uint8_t bytes[16384];
    for (;;) {
        long count = is_socket ? syscall(SYS_recvfrom, descriptor, bytes, sizeof bytes, MSG_DONTWAIT, NULL, NULL)
                               : syscall(SYS_read, descriptor, bytes, sizeof bytes);
        if (count < 0 && (errno == EAGAIN || errno == ENOTCONN)) return 0;
        if (count <= 0) return -1;
        if (*stream < 0) *stream = bytes[0];
        if (chaos_check(bytes, count, (uint8_t)*stream, *place) >= 0) return -2;
        *place += count;
    }
}

int chaos_take(int socket, int *stream, uint64_t *place) { return take(socket, 1, stream, place); }
int chaos_take_printed(int person, int *stream, uint64_t *place) { return take(person, 0, stream, place); }

int chaos_terminal(int *person, int *program) {
    int near = (int)syscall(SYS_openat, AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0), far = -1, number = 0;
    if (near < 0) return -1;
    char path[32];
    if (ioctl(near, TIOCSPTLCK, &number) == 0 && ioctl(near, TIOCGPTN, &number) == 0) {
        snprintf(path, sizeof path, "/dev/pts/%d", number);
        far = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_NOCTTY | O_CLOEXEC, 0);
    }
    if (far < 0) {
        chaos_close(near);
        return -1;
    }
    *person = near;
    *program = far;
    return 0;
}

long chaos_type(int person, uint8_t stream, uint64_t place, size_t count) {
    uint8_t bytes[4096];
    if (count > sizeof bytes) count = sizeof bytes;
    chaos_fill(bytes, count, stream, place);
    long typed = syscall(SYS_write, person, bytes, count);
    return typed < 0 ? 0 : typed;
}

int chaos_is_cooked(int program) {
    struct termios settings;
    return tcgetattr(program, &settings) == 0 && (settings.c_lflag & ICANON) && (settings.c_lflag & ECHO);
}

void chaos_half_close(int socket) { syscall(SYS_shutdown, socket, SHUT_WR); }
void chaos_close(int socket) { syscall(SYS_close, socket); }

void chaos_reset(int socket) {
    struct linger linger = {1, 0};
    syscall(SYS_setsockopt, socket, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    chaos_close(socket);
}

void chaos_signal(int number) { syscall(SYS_kill, getpid(), number); }

void chaos_faults(int rate, uint64_t seed) {
    void (*set)(int, uint64_t) = (void (*)(int, uint64_t))dlsym(RTLD_DEFAULT, "chaos_shim_set");
    if (set != NULL) set(rate, seed);
}

unsigned long chaos_fault_count(void) {
    unsigned long (*count)(void) = (unsigned long (*)(void))dlsym(RTLD_DEFAULT, "chaos_shim_count");
    return count == NULL ? 0 : count();
}

int chaos_has_faults(void) { return dlsym(RTLD_DEFAULT, "chaos_shim_set") != NULL; }

void chaos_forget_shim(void) { unsetenv("LD_PRELOAD"); }

int chaos_make_folder(char *path) { return mkdtemp(path) == NULL ? -1 : 0; }

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place) {
    (void)status, (void)kind, (void)place;
    return remove(path);
}

void chaos_remove_folder(const char *path) { nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

void chaos_pause(int milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    nanosleep(&time, NULL);
}
