#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <unistd.h>

#if !defined(__linux__)
// Closes the descriptor when a flag cannot be set, keeping errno.
static int make_nonblocking_and_private(int descriptor) {
    if (descriptor < 0) return descriptor;
    int flags = fcntl(descriptor, F_GETFL);
    if (flags >= 0 && fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0
        && fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0) return descriptor;
    int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}
#endif

int cplatform_accept(int listener, struct sockaddr_storage *peer, socklen_t *size) {
    *size = sizeof *peer;
#if defined(__linux__)
    return accept4(listener, (struct sockaddr *)peer, size, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
    return make_nonblocking_and_private(accept(listener, (struct sockaddr *)peer, size));
#endif
}

int cplatform_disconnect(int socket) {
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    return connect(socket, &none, sizeof none);
}

int cplatform_unread_bytes(int descriptor) {
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) == 0 ? count : -1;
}

int cplatform_unacknowledged_bytes(int socket) {
    int count = 0;
#if defined(__linux__)
    return ioctl(socket, TIOCOUTQ, &count) == 0 ? count : 0;
#else
    socklen_t size = sizeof count;
    return getsockopt(socket, SOL_SOCKET, SO_NWRITE, &count, &size) == 0 ? count : 0;
#endif
}

int cplatform_duplicate(int descriptor) { return fcntl(descriptor, F_DUPFD_CLOEXEC, 0); }

int cplatform_socket(int family, int type) {
#if defined(__linux__)
    return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
#else
    return make_nonblocking_and_private(socket(family, type, 0));
#endif
}
