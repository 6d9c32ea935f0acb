// The same server as echo-c-libuv on the bare system calls: level-triggered epoll, accept4, read, write.
//
// A connection waits for EPOLLIN, or, while the kernel has not taken an answer whole, for EPOLLOUT: never for both.
#define _GNU_SOURCE
#include <CServerSupport.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

/// What is left of an answer, while its connection waits to write.
struct block {
    struct block *next;
    size_t start, end;
    char bytes[SERVER_CHUNK];
};

struct connection {
    int descriptor;
    struct block *rest;
};

static int poller;
static struct block *spare_blocks;
static char chunk[SERVER_CHUNK];

static int must(int status, const char *what) {
    if (status >= 0) return status;
    perror(what);
    exit(1);
}

static struct block *take_block(void) {
    struct block *block = spare_blocks;
    if (block == NULL) return malloc(sizeof *block);
    spare_blocks = block->next;
    return block;
}

static void give_block(struct block *block) {
    block->next = spare_blocks;
    spare_blocks = block;
}

static bool would_block(void) { return errno == EAGAIN || errno == EINTR; }

static int watch(int operation, int descriptor, uint32_t events, void *owner) {
    struct epoll_event event = {.events = events, .data.ptr = owner};
    return epoll_ctl(poller, operation, descriptor, &event);
}

static void end(struct connection *connection) {
    if (connection->rest != NULL) give_block(connection->rest);
    close(connection->descriptor);
    free(connection);
}

static void send_later(struct connection *connection, const char *bytes, size_t count) {
    struct block *rest = connection->rest = take_block();
    if (rest == NULL) return end(connection);
    memcpy(rest->bytes, bytes, count);
    rest->start = 0;
    rest->end = count;
    if (watch(EPOLL_CTL_MOD, connection->descriptor, EPOLLOUT, connection) < 0) end(connection);
}

static void readable(struct connection *connection) {
    ssize_t count = read(connection->descriptor, chunk, sizeof chunk);
    if (count <= 0) {
        if (count == 0 || !would_block()) end(connection);
        return;
    }
    ssize_t taken = write(connection->descriptor, chunk, (size_t)count);
    if (taken == count) return;
    if (taken < 0 && !would_block()) return end(connection);
    if (taken < 0) taken = 0;
    send_later(connection, chunk + taken, (size_t)(count - taken));
}

static void writable(struct connection *connection) {
    struct block *rest = connection->rest;
    ssize_t taken = write(connection->descriptor, rest->bytes + rest->start, rest->end - rest->start);
    if (taken < 0) {
        if (!would_block()) end(connection);
        return;
    }
    rest->start += (size_t)taken;
    if (rest->start < rest->end) return;
    connection->rest = NULL;
    give_block(rest);
    if (watch(EPOLL_CTL_MOD, connection->descriptor, EPOLLIN, connection) < 0) end(connection);
}

static void accept_all(int listener) {
    int descriptor, yes = 1;
    while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = malloc(sizeof *connection);
        if (connection == NULL) abort();
        *connection = (struct connection){.descriptor = descriptor, .rest = NULL};
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (watch(EPOLL_CTL_ADD, descriptor, EPOLLIN, connection) < 0) end(connection);
    }
    if (!would_block() && errno != ECONNABORTED) must(-1, "accept4");
}

static int listen_at(struct sockaddr_in address) {
    int yes = 1, listener = must(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
    must(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), "SO_REUSEADDR");
    must(bind(listener, (struct sockaddr *)&address, sizeof address), "bind");
    must(listen(listener, SERVER_BACKLOG), "listen");
    return listener;
}

static int catch_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    must(sigprocmask(SIG_BLOCK, &set, NULL), "sigprocmask");
    signal(SIGPIPE, SIG_IGN);
    return must(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC), "signalfd");
}

int main(int argc, char **argv) {
    int signals = catch_signals(), listener = listen_at(server_address(argc, argv));
    poller = must(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    must(watch(EPOLL_CTL_ADD, signals, EPOLLIN, &signals), "epoll_ctl");
    must(watch(EPOLL_CTL_ADD, listener, EPOLLIN, &listener), "epoll_ctl");
    server_announce(listener);

    for (;;) {
        struct epoll_event events[1024];
        int count = epoll_wait(poller, events, 1024, -1);
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (events[i].data.ptr == &signals) return 0;
            if (events[i].data.ptr == &listener) accept_all(listener);
            else if (connection->rest != NULL) writable(connection);
            else readable(connection);
        }
    }
}
