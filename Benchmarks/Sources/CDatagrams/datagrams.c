#include "CDatagrams.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <uv.h>

int cdatagrams_sink(uint16_t *port) {
    int sink = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(sink, (struct sockaddr *)&address, size) != 0) return -1;
    if (getsockname(sink, (struct sockaddr *)&address, &size) != 0) return -1;
    *port = ntohs(address.sin_port);
    return sink;
}

int cdatagrams_drain(int sink) {
    static char chunk[65536];
    int count = 0;
    while (recv(sink, chunk, sizeof chunk, 0) >= 0) count++;
    return count;
}

double cdatagrams_cpu(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

double cdatagrams_send(int sink, uint16_t port, int size, int groups) {
    uv_loop_t loop;
    uv_udp_t socket;
    struct sockaddr_in address;
    char *bytes = calloc(1, (size_t)size);
    uv_loop_init(&loop);
    uv_udp_init_ex(&loop, &socket, AF_INET);
    uv_ip4_addr("127.0.0.1", port, &address);
    double total = 0;
    int came = 0;
    for (int i = 0; i < groups; i++) {
        double began = cdatagrams_cpu();
        for (int k = 0; k < cdatagrams_group; k++) {
            uv_buf_t buffer = uv_buf_init(bytes, (unsigned)size);
            uv_udp_try_send(&socket, &buffer, 1, (const struct sockaddr *)&address);
        }
        total += cdatagrams_cpu() - began;
        came += cdatagrams_drain(sink);
    }
    uv_close((uv_handle_t *)&socket, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    free(bytes);
    int sent = groups * cdatagrams_group;
    return came == sent ? total / sent : -1;
}
