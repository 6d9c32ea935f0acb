// The baseline of datagrams: an echo server in C on libuv, as fast as libuv allows with one call for each datagram.
//
// One 64 KiB buffer serves every receive. The answer is tried at once with uv_udp_try_send; one that the kernel does not take is
// lost, as datagrams are. With --batches the receives are libuv's batches, UV_UDP_RECVMMSG; libuv 1.44.2 has none for sends.
#include <CServerSupport.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static char *chunk;
static size_t chunk_size = SERVER_CHUNK;

static void must(int status, const char *what) {
    if (status >= 0) return;
    fprintf(stderr, "%s: %s\n", what, uv_strerror(status));
    exit(1);
}

static void lend_chunk(uv_handle_t *socket, size_t suggested, uv_buf_t *buffer) {
    (void)socket, (void)suggested;
    *buffer = uv_buf_init(chunk, (unsigned)chunk_size);
}

static void received(
    uv_udp_t *socket, ssize_t count, const uv_buf_t *buffer, const struct sockaddr *from, unsigned flags) {
    (void)flags;
    if (count < 0 || from == NULL) return;
    uv_buf_t answer = uv_buf_init(buffer->base, (unsigned)count);
    uv_udp_try_send(socket, &answer, 1, from);
}

static void interrupted(uv_signal_t *handle, int number) {
    (void)number;
    uv_stop(handle->loop);
}

int main(int argc, char **argv) {
    unsigned flags = AF_INET;
    if (argc > 1 && strcmp(argv[argc - 1], "--batches") == 0) {
        flags |= UV_UDP_RECVMMSG;
        chunk_size = 20 * SERVER_CHUNK;
        argc--;
    }
    struct sockaddr_in address = server_address(argc, argv);
    uv_loop_t *loop = uv_default_loop();
    chunk = malloc(chunk_size);

    uv_signal_t signals[2];
    for (int i = 0; i < 2; i++) {
        must(uv_signal_init(loop, &signals[i]), "uv_signal_init");
        must(uv_signal_start(&signals[i], interrupted, i == 0 ? SIGTERM : SIGINT), "uv_signal_start");
    }

    uv_udp_t socket;
    uv_os_fd_t descriptor;
    must(uv_udp_init_ex(loop, &socket, flags), "uv_udp_init_ex");
    must(uv_udp_bind(&socket, (struct sockaddr *)&address, 0), "uv_udp_bind");
    must(uv_udp_recv_start(&socket, lend_chunk, received), "uv_udp_recv_start");
    must(uv_fileno((uv_handle_t *)&socket, &descriptor), "uv_fileno");
    server_announce(descriptor);

    uv_run(loop, UV_RUN_DEFAULT);
    return 0;
}
