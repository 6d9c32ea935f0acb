// echo-c-epoll under TLS, as OpenSSL's manual has it: SSL_set_fd on sockets that do not block, SSL_read and SSL_write.
//
// A connection waits for EPOLLIN, or, while the kernel has not taken an answer whole, for EPOLLOUT: never for both.
#define _GNU_SOURCE
#include <CServerSupport.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
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

struct connection {
    int descriptor;
    SSL *ssl;
    // What is left of an answer.
    char *rest;
    size_t rest_count;
};

static int poller;
static SSL_CTX *context;
static char chunk[SERVER_CHUNK];

static int must(int status, const char *what) {
    if (status >= 0) return status;
    perror(what);
    exit(1);
}

static bool would_block(void) { return errno == EAGAIN || errno == EINTR; }

static int watch(int operation, int descriptor, uint32_t events, void *owner) {
    struct epoll_event event = {.events = events, .data.ptr = owner};
    return epoll_ctl(poller, operation, descriptor, &event);
}

static void end(struct connection *connection) {
    SSL_free(connection->ssl);
    close(connection->descriptor);
    free(connection->rest);
    free(connection);
}

/// Sends what can be sent. False when the connection has ended.
static bool send_some(struct connection *connection, const char *bytes, size_t count) {
    while (count > 0) {
        int taken = SSL_write(connection->ssl, bytes, (int)(count > 16384 ? 16384 : count));
        if (taken <= 0) {
            if (SSL_get_error(connection->ssl, taken) == SSL_ERROR_WANT_WRITE) break;
            return end(connection), false;
        }
        bytes += taken;
        count -= (size_t)taken;
    }
    bool waited = connection->rest != NULL;
    if (count > 0 && !waited) {
        connection->rest = malloc(count);
        if (connection->rest == NULL) abort();
    }
    if (count > 0) memmove(connection->rest, bytes, count);
    connection->rest_count = count;
    if (count == 0 && waited) {
        free(connection->rest);
        connection->rest = NULL;
    }
    if (waited != (count > 0) && watch(EPOLL_CTL_MOD, connection->descriptor, count > 0 ? EPOLLOUT : EPOLLIN, connection) < 0)
        return end(connection), false;
    return true;
}

static void readable(struct connection *connection) {
    do {
        ERR_clear_error();
        int count = SSL_read(connection->ssl, chunk, sizeof chunk);
        if (count <= 0) {
            if (SSL_get_error(connection->ssl, count) != SSL_ERROR_WANT_READ) end(connection);
            return;
        }
        // As much as there is leaves together.
        while (count < (int)sizeof chunk) {
            int more = SSL_read(connection->ssl, chunk + count, (int)sizeof chunk - count);
            if (more <= 0) break;
            count += more;
        }
        if (!send_some(connection, chunk, (size_t)count)) return;
    } while (connection->rest == NULL && SSL_pending(connection->ssl) > 0);
}

static void writable(struct connection *connection) {
    ERR_clear_error();
    if (send_some(connection, connection->rest, connection->rest_count) && connection->rest == NULL
        && SSL_has_pending(connection->ssl)) readable(connection);
}

static void accept_all(int listener) {
    int descriptor, yes = 1;
    while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = malloc(sizeof *connection);
        if (connection == NULL) abort();
        *connection = (struct connection){.descriptor = descriptor, .ssl = SSL_new(context)};
        SSL_set_fd(connection->ssl, descriptor);
        SSL_set_accept_state(connection->ssl);
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

/// Takes `--certificate FILE` and `--key FILE` from the end of the arguments.
static int take_files(int argc, char **argv) {
    context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    while (argc > 2 && (strcmp(argv[argc - 2], "--key") == 0 || strcmp(argv[argc - 2], "--certificate") == 0)) {
        int status = strcmp(argv[argc - 2], "--key") == 0
                         ? SSL_CTX_use_PrivateKey_file(context, argv[argc - 1], SSL_FILETYPE_PEM)
                         : SSL_CTX_use_certificate_chain_file(context, argv[argc - 1]);
        if (status != 1) {
            ERR_print_errors_fp(stderr);
            exit(1);
        }
        argc -= 2;
    }
    return argc;
}

int main(int argc, char **argv) {
    argc = take_files(argc, argv);
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
