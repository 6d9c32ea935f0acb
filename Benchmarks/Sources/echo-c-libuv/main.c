// The baseline: an echo server in C on libuv, as fast as libuv allows.
//
// One 64 KiB buffer serves every read. The answer is tried at once with uv_try_write, which costs no request; what
// the kernel does not take is copied to a pooled block, and reading rests until it is out. So nothing is allocated
// per message, and memory is bounded by one block a connection. With --split each so many bytes get a write of their own.
// With --loops so many threads do it, each with a loop and a listener of its own; --local listens on a local socket.
#include <CServerSupport.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

/// An unfinished write: the request and the bytes it still has to send.
struct block {
    uv_write_t request;
    struct block *next;
    char bytes[SERVER_CHUNK];
};

static _Thread_local struct block *spare_blocks;
static _Thread_local char chunk[SERVER_CHUNK];

static void must(int status, const char *what) {
    if (status >= 0) return;
    fprintf(stderr, "%s: %s\n", what, uv_strerror(status));
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

static void closed(uv_handle_t *connection) { free(connection); }

static void end(uv_stream_t *connection) {
    if (!uv_is_closing((uv_handle_t *)connection)) uv_close((uv_handle_t *)connection, closed);
}

static void lend_chunk(uv_handle_t *connection, size_t suggested, uv_buf_t *buffer) {
    (void)connection, (void)suggested;
    *buffer = uv_buf_init(chunk, sizeof chunk);
}

static void received(uv_stream_t *connection, ssize_t count, const uv_buf_t *buffer);

static void sent(uv_write_t *request, int status) {
    uv_stream_t *connection = request->handle;
    give_block((struct block *)request);
    if (status < 0 || uv_read_start(connection, lend_chunk, received) < 0) end(connection);
}

static void send_later(uv_stream_t *connection, const char *bytes, size_t count) {
    struct block *block = take_block();
    if (block == NULL) return end(connection);
    memcpy(block->bytes, bytes, count);
    uv_buf_t rest = uv_buf_init(block->bytes, (unsigned)count);
    uv_read_stop(connection);
    if (uv_write(&block->request, connection, &rest, 1, sent) < 0) {
        give_block(block);
        end(connection);
    }
}

static inline __attribute__((always_inline)) void answer(uv_stream_t *connection, const char *bytes, size_t count) {
    uv_buf_t answer = uv_buf_init((char *)bytes, (unsigned)count);
    int status = uv_try_write(connection, &answer, 1);
    if (status == (int)count) return;
    if (status < 0 && status != UV_EAGAIN) return end(connection);
    size_t taken = status < 0 ? 0 : (size_t)status;
    send_later(connection, bytes + taken, count - taken);
}

static __attribute__((noinline)) void answer_pieces(uv_stream_t *connection, const char *bytes, size_t count) {
    for (; count > server_split; bytes += server_split, count -= server_split) {
        uv_buf_t piece = uv_buf_init((char *)bytes, (unsigned)server_split);
        int status = uv_try_write(connection, &piece, 1);
        if (status < 0 && status != UV_EAGAIN) return end(connection);
        size_t taken = status < 0 ? 0 : (size_t)status;
        if (taken < server_split) return send_later(connection, bytes + taken, count - taken);
    }
    answer(connection, bytes, count);
}

static void received(uv_stream_t *connection, ssize_t count, const uv_buf_t *buffer) {
    if (count < 0) return end(connection);
    if (count == 0) return;
    if ((size_t)count > server_split) return answer_pieces(connection, buffer->base, (size_t)count);
    answer(connection, buffer->base, (size_t)count);
}

static void accepted(uv_stream_t *listener, int status) {
    if (status < 0) return;
    int is_local = listener->type == UV_NAMED_PIPE;
    uv_stream_t *connection = malloc(is_local ? sizeof(uv_pipe_t) : sizeof(uv_tcp_t));
    if (connection == NULL) return;
    if (is_local) must(uv_pipe_init(listener->loop, (uv_pipe_t *)connection, 0), "uv_pipe_init");
    else must(uv_tcp_init(listener->loop, (uv_tcp_t *)connection), "uv_tcp_init");
    if (uv_accept(listener, connection) < 0 || (!is_local && uv_tcp_nodelay((uv_tcp_t *)connection, 1) < 0)
        || uv_read_start(connection, lend_chunk, received) < 0)
        end(connection);
}

static void interrupted(uv_signal_t *handle, int number) {
    (void)number;
    uv_stop(handle->loop);
}

/// Listens on an address, which several loops may share, and returns the socket.
static int listen_on(uv_loop_t *loop, uv_tcp_t *listener, struct sockaddr_in address) {
    int yes = 1, descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), "SO_REUSEADDR");
    if (server_loops > 1) must(setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes), "SO_REUSEPORT");
    must(uv_tcp_init(loop, listener), "uv_tcp_init");
    must(uv_tcp_open(listener, descriptor), "uv_tcp_open");
    must(uv_tcp_bind(listener, (struct sockaddr *)&address, 0), "uv_tcp_bind");
    must(uv_listen((uv_stream_t *)listener, SERVER_BACKLOG, accepted), "uv_listen");
    return descriptor;
}

/// A loop beside the first, until the process ends.
static void run_further_loop(void *address) {
    uv_loop_t loop;
    uv_tcp_t listener;
    must(uv_loop_init(&loop), "uv_loop_init");
    listen_on(&loop, &listener, *(struct sockaddr_in *)address);
    uv_run(&loop, UV_RUN_DEFAULT);
}

int main(int argc, char **argv) {
    struct sockaddr_in address = server_address(argc, argv);
    uv_loop_t *loop = uv_default_loop();
    signal(SIGPIPE, SIG_IGN);

    uv_signal_t signals[2];
    for (int i = 0; i < 2; i++) {
        must(uv_signal_init(loop, &signals[i]), "uv_signal_init");
        must(uv_signal_start(&signals[i], interrupted, i == 0 ? SIGTERM : SIGINT), "uv_signal_start");
    }

    uv_tcp_t listener;
    uv_pipe_t local;
    if (server_local != NULL) {
        unlink(server_local);
        must(uv_pipe_init(loop, &local, 0), "uv_pipe_init");
        must(uv_pipe_bind(&local, server_local), "uv_pipe_bind");
        must(uv_listen((uv_stream_t *)&local, SERVER_BACKLOG, accepted), "uv_listen");
        server_announce(-1);
    } else {
        int descriptor = listen_on(loop, &listener, address);
        socklen_t length = sizeof address;
        getsockname(descriptor, (struct sockaddr *)&address, &length);
        for (int i = 1; i < server_loops; i++) {
            uv_thread_t thread;
            must(uv_thread_create(&thread, run_further_loop, &address), "uv_thread_create");
        }
        server_announce(descriptor);
    }
    uv_run(loop, UV_RUN_DEFAULT);
    if (server_local != NULL) unlink(server_local);
    return 0;
}
