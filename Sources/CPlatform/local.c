// Local sockets: who is at the other end, and descriptors that travel with bytes.
#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#if !defined(__linux__)
#include <sys/ucred.h>
#include <sys/un.h>
#endif

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

int cplatform_peer_credentials(int socket, struct cplatform_credentials *found) {
#if defined(__linux__)
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return -1;
    *found = (struct cplatform_credentials){.process = peer.pid, .user = peer.uid, .group = peer.gid};
    // A socket without a peer has nobody's credentials.
    if (peer.uid != (uid_t)-1) return 0;
    errno = ENOTCONN;
    return -1;
#else
    uid_t user;
    gid_t group;
    pid_t process = 0;
    socklen_t size = sizeof process;
    if (getpeereid(socket, &user, &group) != 0) return -1;
#if defined(LOCAL_PEERPID)
    getsockopt(socket, SOL_LOCAL, LOCAL_PEERPID, &process, &size);
#endif
    *found = (struct cplatform_credentials){.process = process, .user = user, .group = group};
    return 0;
#endif
}

int cplatform_socket_pair(int type, int sockets[2]) {
#if defined(__linux__)
    return socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets);
#else
    if (socketpair(AF_UNIX, type, 0, sockets) != 0) return -1;
    for (int i = 0; i < 2; i++) {
        fcntl(sockets[i], F_SETFL, fcntl(sockets[i], F_GETFL) | O_NONBLOCK);
        fcntl(sockets[i], F_SETFD, FD_CLOEXEC);
    }
    return 0;
#endif
}

int cplatform_set_mode(const char *path, mode_t mode) { return fchmodat(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW); }

// Room for one control message of the most descriptors, aligned as the system wants it.
union control {
    struct cmsghdr header;
    char room[CMSG_SPACE(CPLATFORM_MOST_DESCRIPTORS * sizeof(int))];
};

ssize_t cplatform_send_message(
    int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count) {
    union control control;
    struct iovec piece = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (descriptor_count > CPLATFORM_MOST_DESCRIPTORS) {
        errno = EINVAL;
        return -1;
    }
    if (descriptor_count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(descriptor_count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(descriptor_count * sizeof(int));
        memcpy(CMSG_DATA(header), descriptors, descriptor_count * sizeof(int));
    }
    ssize_t sent;
    do sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent;
}

static ssize_t receive(int socket, struct iovec *piece, union control *control, int flags, struct msghdr *message) {
    *message = (struct msghdr){.msg_iov = piece, .msg_iovlen = 1};
    if (control != NULL) {
        message->msg_control = control;
        message->msg_controllen = sizeof *control;
    }
#if defined(MSG_CMSG_CLOEXEC)
    flags |= MSG_CMSG_CLOEXEC;
#endif
    ssize_t count;
    do count = recvmsg(socket, message, flags | MSG_DONTWAIT);
    while (count < 0 && errno == EINTR);
    return count;
}

// Collects the descriptors of a message, all of which are ours from now on.
static size_t collect(struct msghdr *message, int *descriptors) {
    size_t found = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL; header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(header) + i * sizeof descriptor, sizeof descriptor);
            if (found == CPLATFORM_MOST_DESCRIPTORS) {
                close(descriptor);
                continue;
            }
#if !defined(MSG_CMSG_CLOEXEC)
            fcntl(descriptor, F_SETFD, FD_CLOEXEC);
#endif
            descriptors[found++] = descriptor;
        }
    }
    return found;
}

static void drop(const int *descriptors, size_t count) {
    for (size_t i = 0; i < count; i++) close(descriptors[i]);
}

ssize_t cplatform_receive_message(int socket, void *bytes, size_t count, int *descriptors, size_t *descriptor_count) {
    union control control;
    struct msghdr message;
    struct iovec piece = {.iov_base = bytes, .iov_len = count};
    *descriptor_count = 0;
#if defined(__linux__)
    // The kernel drops the descriptors of a message for which the process has no room, and closes them. So it is asked first
    // for copies, which leaves the message where it is; the message itself is taken without its descriptors.
    const int look = MSG_PEEK;
#else
    const int look = 0;
#endif
    ssize_t found = receive(socket, &piece, &control, look, &message);
    if (found <= 0) return found;
    size_t copies = collect(&message, descriptors);
    if (message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) {
        drop(descriptors, copies);
        errno = message.msg_flags & MSG_TRUNC ? EMSGSIZE : EMFILE;
        return -1;
    }
    if (look != 0) {
        piece.iov_len = (size_t)found;
        ssize_t taken = receive(socket, &piece, NULL, 0, &message);
        if (taken != found) {
            int error = taken < 0 ? errno : EIO;
            drop(descriptors, copies);
            errno = error;
            return -1;
        }
    }
    *descriptor_count = copies;
    return found;
}
