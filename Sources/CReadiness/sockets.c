#define _GNU_SOURCE
#include "CReadiness.h"

#if defined(__linux__)

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RESULT(call) ({ __typeof__(call) result_ = (call); result_ < 0 ? -errno : result_; })
#define RETRY(call) ({ __typeof__(call) r_; do r_ = (call); while (r_ < 0 && errno == EINTR); r_ < 0 ? -errno : r_; })

const char *readiness_error_name(int error) { return strerrorname_np(error); }

// close is never repeated: Linux frees the number even when a signal interrupts the call.
int readiness_close(int descriptor) { return RESULT(close(descriptor)); }

int readiness_check(int descriptor) { return fcntl(descriptor, F_GETFD) < 0 ? -errno : 0; }

int readiness_duplicate(int descriptor) { return readiness_duplicate_above(descriptor, 0); }

int readiness_duplicate_above(int descriptor, int least) {
    return RESULT(fcntl(descriptor, F_DUPFD_CLOEXEC, least));
}

int readiness_set_blocking(int descriptor, int blocking) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0) return -errno;
    return RESULT(fcntl(descriptor, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK));
}

int readiness_socket(int family, int type) { return RESULT(socket(family, type | SOCK_CLOEXEC, 0)); }

int readiness_pair(int type, int descriptors[2]) {
    return RESULT(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, descriptors));
}

int readiness_listen(int descriptor, int backlog) { return RESULT(listen(descriptor, backlog)); }

int readiness_accept(int listener, int blocking) {
    return RETRY(accept4(listener, NULL, NULL, SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK)));
}

int readiness_shutdown(int descriptor, int how) { return RESULT(shutdown(descriptor, how)); }

long readiness_receive(int descriptor, void *bytes, size_t count) { return RETRY(recv(descriptor, bytes, count, 0)); }

long readiness_send(int descriptor, const void *bytes, size_t count, int flags) {
    return RETRY(send(descriptor, bytes, count, flags | MSG_NOSIGNAL));
}

int readiness_set_option(int descriptor, int level, int name, int value) {
    return RESULT(setsockopt(descriptor, level, name, &value, sizeof value));
}

int readiness_get_option(int descriptor, int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    return getsockopt(descriptor, level, name, &value, &size) < 0 ? -errno : value;
}

int readiness_reset_on_close(int descriptor) {
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    return RESULT(setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof now));
}

// Writes the address and returns its size, or returns -EINVAL.
static int make_address(const char *host, uint16_t port, struct sockaddr_storage *address) {
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        return sizeof *v4;
    }
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        return sizeof *v6;
    }
    return -EINVAL;
}

// Writes the host's text and returns the port.
static int read_address(const struct sockaddr_storage *address, char *host) {
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    switch (address->ss_family) {
    case AF_INET: inet_ntop(AF_INET, &v4->sin_addr, host, INET6_ADDRSTRLEN); return ntohs(v4->sin_port);
    case AF_INET6: inet_ntop(AF_INET6, &v6->sin6_addr, host, INET6_ADDRSTRLEN); return ntohs(v6->sin6_port);
    default: return -EAFNOSUPPORT;
    }
}

int readiness_family(const char *host) {
    struct sockaddr_storage address;
    int size = make_address(host, 0, &address);
    return size < 0 ? size : address.ss_family;
}

int readiness_bind(int descriptor, const char *host, uint16_t port) {
    struct sockaddr_storage address;
    int size = make_address(host, port, &address);
    return size < 0 ? size : RESULT(bind(descriptor, (struct sockaddr *)&address, size));
}

int readiness_connect(int descriptor, const char *host, uint16_t port) {
    struct sockaddr_storage address;
    int size = make_address(host, port, &address);
    if (size < 0) return size;
    if (connect(descriptor, (struct sockaddr *)&address, size) == 0) return 0;
    if (errno != EINTR) return -errno;
    // An interrupted connect goes on by itself; calling it again would say EALREADY. Wait for its end.
    struct pollfd entry = {.fd = descriptor, .events = POLLOUT};
    int ready = RETRY(poll(&entry, 1, -1));
    return ready < 0 ? ready : -readiness_get_option(descriptor, SOL_SOCKET, SO_ERROR);
}

int readiness_local_address(int descriptor, char *host) {
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    return getsockname(descriptor, (struct sockaddr *)&address, &size) < 0 ? -errno : read_address(&address, host);
}

int readiness_peer_address(int descriptor, char *host) {
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    return getpeername(descriptor, (struct sockaddr *)&address, &size) < 0 ? -errno : read_address(&address, host);
}

#endif
