#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#if defined(__linux__)
#include <linux/errqueue.h>
#include <sys/ioctl.h>
#endif

// 64 KiB apart all datagrams would lie in the same few lines of the processor's caches.
#define STRIDE (65536 + 1088)

_Static_assert(sizeof(struct cplatform_address) == sizeof(struct sockaddr_in6), "an address has the size of IPv6's");

struct cplatform_receiver {
    struct cplatform_datagram datagrams[cplatform_most_datagrams];
    struct iovec pieces[cplatform_most_datagrams];
#if defined(__linux__)
    struct mmsghdr headers[cplatform_most_datagrams];
    int used;
#endif
    char *room;
};

struct cplatform_receiver *cplatform_receiver_create(void) {
    struct cplatform_receiver *receiver = calloc(1, sizeof *receiver);
    if (receiver == NULL) return NULL;
    // The system gives memory to those pages only that a datagram reaches.
    receiver->room = malloc((size_t)STRIDE * cplatform_most_datagrams);
    if (receiver->room == NULL) {
        free(receiver);
        return NULL;
    }
    for (int i = 0; i < cplatform_most_datagrams; i++) {
        struct cplatform_datagram *datagram = &receiver->datagrams[i];
        datagram->bytes = (const uint8_t *)receiver->room + (size_t)i * STRIDE;
        receiver->pieces[i] = (struct iovec){.iov_base = receiver->room + (size_t)i * STRIDE, .iov_len = 65536};
#if defined(__linux__)
        receiver->headers[i].msg_hdr = (struct msghdr){
            .msg_name = &datagram->from, .msg_namelen = sizeof datagram->from, .msg_iov = &receiver->pieces[i],
            .msg_iovlen = 1};
#endif
    }
    return receiver;
}

void cplatform_receiver_destroy(struct cplatform_receiver *receiver) {
    free(receiver->room);
    free(receiver);
}

const struct cplatform_datagram *cplatform_received(const struct cplatform_receiver *receiver, int index) {
    return &receiver->datagrams[index];
}

#if defined(__linux__)

int cplatform_receive(struct cplatform_receiver *receiver, int socket, int most) {
    for (int i = 0; i < receiver->used; i++) receiver->headers[i].msg_hdr.msg_namelen = sizeof(struct cplatform_address);
    receiver->used = 0;
    int count;
    do count = recvmmsg(socket, receiver->headers, (unsigned)most, MSG_DONTWAIT, NULL);
    while (count < 0 && errno == EINTR);
    for (int i = 0; i < count; i++) {
        receiver->datagrams[i].count = receiver->headers[i].msg_len;
        receiver->datagrams[i].is_truncated = (receiver->headers[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
    }
    if (count > 0) receiver->used = count;
    return count;
}

// What a datagram may have to fit into a frame of an Ethernet: the system cuts joined datagrams apart, but makes no fragments.
#define MOST_JOINED_SIZE 1452
#define MOST_JOINED_BYTES 65000
// UDP_SEGMENT of linux/udp.h.
#define SEGMENT_OPTION 103

union segment_control {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(uint16_t))];
};

static int goes_to_the_same(const struct cplatform_outgoing *one, const struct cplatform_outgoing *other) {
    return one->to_size == other->to_size && memcmp(&one->to, &other->to, sizeof one->to) == 0;
}

// How many datagrams, from the first one on, can go as one: of one size but for the last, which may be shorter.
static int count_joined(const struct cplatform_outgoing *first, int count) {
    size_t size = first->count, total = size;
    if (size == 0 || size > MOST_JOINED_SIZE) return 1;
    int joined = 1;
    while (joined < count && first[joined].count > 0 && first[joined].count <= size
           && total + first[joined].count <= MOST_JOINED_BYTES && goes_to_the_same(first, &first[joined])) {
        total += first[joined].count;
        if (first[joined++].count < size) break;
    }
    return joined;
}

static int send_datagrams(int socket, const struct cplatform_outgoing *datagrams, int count, int joins) {
    struct mmsghdr headers[cplatform_most_datagrams];
    struct iovec pieces[cplatform_most_datagrams];
    union segment_control controls[cplatform_most_datagrams];
    int sizes[cplatform_most_datagrams], messages = 0;
    for (int i = 0; i < count; messages++) {
        const struct cplatform_outgoing *first = &datagrams[i];
        int joined = joins ? count_joined(first, count - i) : 1;
        for (int k = 0; k < joined; k++)
            pieces[i + k] = (struct iovec){.iov_base = (void *)first[k].bytes, .iov_len = first[k].count};
        struct msghdr *header = &headers[messages].msg_hdr;
        *header = (struct msghdr){
            .msg_name = first->to_size == 0 ? NULL : (void *)&first->to, .msg_namelen = first->to_size,
            .msg_iov = &pieces[i], .msg_iovlen = (size_t)joined};
        if (joined > 1) {
            union segment_control *control = &controls[messages];
            uint16_t size = (uint16_t)first->count;
            control->header = (struct cmsghdr){
                .cmsg_level = IPPROTO_UDP, .cmsg_type = SEGMENT_OPTION, .cmsg_len = CMSG_LEN(sizeof size)};
            memcpy(CMSG_DATA(&control->header), &size, sizeof size);
            header->msg_control = control;
            header->msg_controllen = sizeof control->room;
        }
        sizes[messages] = joined;
        i += joined;
    }
    int sent;
    do sent = sendmmsg(socket, headers, (unsigned)messages, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0) return -1;
    int total = 0;
    for (int i = 0; i < sent; i++) total += sizes[i];
    return total;
}

int cplatform_send_datagrams(int socket, const struct cplatform_outgoing *datagrams, int count, int *joins) {
    if (count > cplatform_most_datagrams) count = cplatform_most_datagrams;
    int sent = send_datagrams(socket, datagrams, count, *joins);
    if (sent >= 0 || !*joins || count_joined(datagrams, count) == 1) return sent;
    // An old kernel, a device that cannot, or a path for smaller ones.
    if (errno != EINVAL && errno != EIO && errno != EMSGSIZE && errno != EOPNOTSUPP && errno != ENOPROTOOPT) return -1;
    *joins = 0;
    return send_datagrams(socket, datagrams, count, 0);
}

int cplatform_report_network_errors(int socket, int family, int enabled) {
    // A socket of IPv6 can send to IPv4, too.
    if (family == AF_INET6
        && setsockopt(socket, IPPROTO_IPV6, IPV6_RECVERR, &enabled, sizeof enabled) != 0) return -1;
    return setsockopt(socket, IPPROTO_IP, IP_RECVERR, &enabled, sizeof enabled);
}

static const struct sock_extended_err *extended_error(struct msghdr *header) {
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL; part = CMSG_NXTHDR(header, part))
        if ((part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR)
            || (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR))
            return (const struct sock_extended_err *)CMSG_DATA(part);
    return NULL;
}

int cplatform_take_network_error(int socket, struct cplatform_address *to) {
    for (;;) {
        char byte;
        struct iovec piece = {.iov_base = &byte, .iov_len = 1};
        _Alignas(struct cmsghdr) char control[512];
        memset(to, 0, sizeof *to);
        struct msghdr header = {
            .msg_name = to, .msg_namelen = sizeof *to, .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control,
            .msg_controllen = sizeof control};
        ssize_t count = recvmsg(socket, &header, MSG_ERRQUEUE | MSG_DONTWAIT);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return 0;
        const struct sock_extended_err *error = extended_error(&header);
        // An error of this machine was told to the sender.
        if (error != NULL
            && (error->ee_origin == SO_EE_ORIGIN_ICMP || error->ee_origin == SO_EE_ORIGIN_ICMP6))
            return (int)error->ee_errno;
    }
}

int64_t cplatform_dropped_datagrams(int socket) {
    // Number 8 is SK_MEMINFO_DROPS of linux/sock_diag.h; the option is SO_MEMINFO.
    uint32_t numbers[9] = {0};
    socklen_t size = sizeof numbers;
    if (getsockopt(socket, SOL_SOCKET, 55, numbers, &size) != 0 || size < sizeof numbers) return -1;
    return numbers[8];
}

#else

int cplatform_receive(struct cplatform_receiver *receiver, int socket, int most) {
    int count = 0;
    while (count < most) {
        struct cplatform_datagram *datagram = &receiver->datagrams[count];
        struct msghdr header = {
            .msg_name = &datagram->from, .msg_namelen = sizeof datagram->from, .msg_iov = &receiver->pieces[count],
            .msg_iovlen = 1};
        ssize_t size = recvmsg(socket, &header, MSG_DONTWAIT);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return count > 0 ? count : -1;
        datagram->count = (uint32_t)size;
        datagram->is_truncated = (header.msg_flags & MSG_TRUNC) != 0;
        count++;
    }
    return count;
}

int cplatform_send_datagrams(int socket, const struct cplatform_outgoing *datagrams, int count, int *joins) {
    (void)joins;
    int sent = 0;
    while (sent < count) {
        const struct cplatform_outgoing *datagram = &datagrams[sent];
        struct iovec piece = {.iov_base = (void *)datagram->bytes, .iov_len = datagram->count};
        struct msghdr header = {
            .msg_name = datagram->to_size == 0 ? NULL : (void *)&datagram->to, .msg_namelen = datagram->to_size,
            .msg_iov = &piece, .msg_iovlen = 1};
        ssize_t size = sendmsg(socket, &header, MSG_DONTWAIT);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return sent > 0 ? sent : -1;
        sent++;
    }
    return sent;
}

int cplatform_report_network_errors(int socket, int family, int enabled) { return 0; }
int cplatform_take_network_error(int socket, struct cplatform_address *to) { return 0; }
int64_t cplatform_dropped_datagrams(int socket) { return -1; }

#endif

int cplatform_interface_address(const char *name, uint32_t *address) {
#if defined(__linux__)
    struct ifreq request = {0};
    if (strlen(name) >= sizeof request.ifr_name) {
        errno = ENODEV;
        return -1;
    }
    strcpy(request.ifr_name, name);
    int asking = cplatform_socket(AF_INET, SOCK_DGRAM);
    if (asking < 0) return -1;
    int status = ioctl(asking, SIOCGIFADDR, &request), error = errno;
    close(asking);
    errno = error;
    if (status == 0) *address = ((const struct sockaddr_in *)(const void *)&request.ifr_addr)->sin_addr.s_addr;
    return status;
#else
    errno = ENOTSUP;
    return -1;
#endif
}
