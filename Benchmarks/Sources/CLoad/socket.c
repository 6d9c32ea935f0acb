#include "CLoad.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_locally(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    if (strlen(path) >= sizeof address.sun_path) {
        close(descriptor);
        return -1;
    }
    strcpy(address.sun_path, path);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0) return descriptor;
    close(descriptor);
    return -1;
}

int load_connect(const char *host, uint16_t port) { return load_connect_from(INADDR_ANY, host, port); }

int load_connect_from(uint32_t source, const char *host, uint16_t port) {
    if (host[0] == '/') return connect_locally(host);
    int yes = 1, descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(source)};
    if (descriptor < 0) return -1;
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1
        || setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0
        || setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes) != 0
        || bind(descriptor, (struct sockaddr *)&own, sizeof own) != 0
        || connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

int load_connect_datagrams(const char *host, uint16_t port) {
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (descriptor < 0) return -1;
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1
        || connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

int load_exchange(int descriptor, size_t size) {
    static char message[65536], echo[65536];
    if (size > sizeof message) return -1;
    memset(message, 'm', size);
    if (send(descriptor, message, size, MSG_NOSIGNAL) != (ssize_t)size) return -1;
    if (recv(descriptor, echo, size, MSG_WAITALL) != (ssize_t)size) return -1;
    return memcmp(message, echo, size) == 0 ? 0 : -1;
}
