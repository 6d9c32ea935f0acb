#include "client.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/// Comparing every byte would cost the load's core more than it tells: this share of the bursts is compared.
#define BURSTS_PER_COMPARISON 16

static const unsigned char *expected(const struct client *client, const struct shape *shape) {
    return shape->pattern + (client->bursts * 131 + (uint64_t)client->descriptor * 17) % PATTERN_SLACK;
}

static bool wait_to_write(struct client *client, const struct shape *shape, bool wanted) {
    if (client->waits_to_write == wanted) return true;
    client->waits_to_write = wanted;
    struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.ptr = client};
    return epoll_ctl(shape->poller, EPOLL_CTL_MOD, client->descriptor, &event) == 0;
}

bool client_send(struct client *client, const struct shape *shape) {
    const unsigned char *bytes = expected(client, shape);
    while (client->sent < shape->burst) {
        size_t message = shape->piece - client->sent % shape->piece;
        ssize_t count = send(client->descriptor, bytes + client->sent, message, MSG_NOSIGNAL);
        if (count < 0) return errno == EAGAIN && wait_to_write(client, shape, true);
        client->sent += (size_t)count;
    }
    return wait_to_write(client, shape, false);
}

bool client_start(struct client *client, const struct shape *shape, uint64_t now) {
    client->sent = client->received = 0;
    client->started = now;
    return client_send(client, shape);
}

enum progress client_receive(struct client *client, const struct shape *shape) {
    ssize_t count = recv(client->descriptor, shape->incoming, shape->incoming_size, 0);
    if (count < 0 && errno == EAGAIN) return PROGRESS_WAITING;
    if (count <= 0 || client->received + (size_t)count > client->sent) return PROGRESS_FAILED;
    if (client->bursts % BURSTS_PER_COMPARISON == 0
        && memcmp(shape->incoming, expected(client, shape) + client->received, (size_t)count) != 0)
        return PROGRESS_FAILED;
    client->received += (size_t)count;
    if (client->received < shape->burst) return PROGRESS_WAITING;
    client->bursts++;
    return PROGRESS_FINISHED;
}
