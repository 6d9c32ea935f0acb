#include "CLoad.h"
#include "client.h"
#include "clocks.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/// A server that sends nothing at all for so long has lost a message.
#define SILENCE_MILLISECONDS 10000

struct run {
    const struct load_options *options;
    struct load_result result;
    load_record record;
    void *context;
    struct shape shape;
    struct client *clients;
    /// Connections that have not had their first echo: a server may be slow to accept while it serves others.
    int unserved;
    bool measuring;
    /// With a rate: clients with nothing under way, and when the next message is due.
    struct client **resting;
    int resting_count;
    double due;
    uint64_t window_start;
    double cpu_start;
};

static bool fail(struct run *run, const char *reason) {
    run->result.failure = reason;
    return false;
}

static bool open_clients(struct run *run) {
    for (int i = 0; i < run->options->connections; i++) {
        struct client *client = &run->clients[i];
        client->descriptor = (run->options->udp ? load_connect_datagrams : load_connect)(
            run->options->host, run->options->port);
        if (client->descriptor < 0) return fail(run, "cannot connect");
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        if (fcntl(client->descriptor, F_SETFL, O_NONBLOCK) < 0
            || epoll_ctl(run->shape.poller, EPOLL_CTL_ADD, client->descriptor, &event) < 0)
            return fail(run, "cannot watch a connection");
    }
    return true;
}

static bool advance(struct run *run, const struct epoll_event *event) {
    struct client *client = event->data.ptr;
    if ((event->events & EPOLLOUT) && !client_send(client, &run->shape)) return fail(run, "a send failed");
    if (!(event->events & ~(uint32_t)EPOLLOUT)) return true;
    switch (client_receive(client, &run->shape)) {
    case PROGRESS_WAITING: return true;
    case PROGRESS_FAILED: return fail(run, "an echo was cut off or wrong");
    case PROGRESS_FINISHED: break;
    }
    uint64_t now = clock_now();
    if (client->bursts == 1) run->unserved--;
    if (run->measuring) {
        run->result.requests += (uint64_t)run->options->pipeline;
        run->record(run->context, now - client->started);
    }
    if (run->options->rate > 0) {
        run->resting[run->resting_count++] = client;
        return true;
    }
    return client_start(client, &run->shape, now) || fail(run, "a send failed");
}

/// Sends what is due, as far as clients rest. What has to wait for one keeps the time at which it was due.
static bool send_due(struct run *run, uint64_t now) {
    // Nothing falls due before every connection has been served.
    if (run->unserved > 0) return true;
    if (run->due == 0) run->due = (double)now;
    while (run->resting_count > 0 && run->due <= (double)now) {
        struct client *client = run->resting[--run->resting_count];
        if (!client_start(client, &run->shape, (uint64_t)run->due)) return fail(run, "a send failed");
        run->due += 1e9 * run->options->pipeline / run->options->rate;
    }
    return true;
}

static void start_window(struct run *run, uint64_t now) {
    run->measuring = true;
    run->window_start = now;
    run->cpu_start = load_cpu_seconds(run->options->server);
}

static void end_window(struct run *run, uint64_t now) {
    run->result.server_cpu_seconds = load_cpu_seconds(run->options->server) - run->cpu_start;
    run->result.seconds = (double)(now - run->window_start) * 1e-9;
}

/// The warm-up begins when every connection is served. The window opens and shuts between two batches of events, where
/// requests and CPU time are read together.
static bool drive(struct run *run) {
    uint64_t warm = 0, over = 0;
    run->unserved = run->options->connections;
    for (int i = 0; i < run->options->connections; i++)
        if (!client_start(&run->clients[i], &run->shape, clock_now())) return fail(run, "a send failed");
    for (;;) {
        struct epoll_event events[256];
        // At a rate the core is this program's, and sleeping would be late.
        bool spins = run->options->rate > 0 && run->unserved == 0 && run->resting_count > 0;
        int count = epoll_wait(run->shape.poller, events, 256, spins ? 0 : SILENCE_MILLISECONDS);
        if (count < 0 || (count == 0 && !spins)) return fail(run, "the server fell silent");
        uint64_t now = clock_now();
        if (warm == 0 && run->unserved == 0) {
            warm = now + (uint64_t)(run->options->warmup_seconds * 1e9);
            over = warm + (uint64_t)(run->options->seconds * 1e9);
        }
        if (run->measuring && now >= over) return end_window(run, now), true;
        if (!run->measuring && warm != 0 && now >= warm) start_window(run, now);
        for (int i = 0; i < count; i++)
            if (!advance(run, &events[i])) return false;
        if (run->options->rate > 0 && !send_due(run, clock_now())) return false;
    }
}

static unsigned char *random_bytes(size_t count) {
    unsigned char *bytes = malloc(count);
    uint32_t state = 2463534242u;
    for (size_t i = 0; bytes != NULL && i < count; i++) {
        state ^= state << 13, state ^= state >> 17, state ^= state << 5;
        bytes[i] = (unsigned char)state;
    }
    return bytes;
}

struct load_result load_run(const struct load_options *options, load_record record, void *context) {
    struct run run = {.options = options, .record = record, .context = context};
    size_t burst = options->size * (size_t)options->pipeline;
    run.shape = (struct shape){
        .poller = epoll_create1(EPOLL_CLOEXEC), .piece = options->together ? burst : options->size, .burst = burst,
        .pattern = random_bytes(burst + PATTERN_SLACK), .incoming = malloc(burst + 1), .incoming_size = burst + 1};
    run.clients = calloc((size_t)options->connections, sizeof *run.clients);
    run.resting = calloc((size_t)options->connections, sizeof *run.resting);
    if (run.resting == NULL || run.shape.poller < 0 || run.shape.pattern == NULL || run.shape.incoming == NULL || run.clients == NULL)
        fail(&run, "out of memory");
    else if (open_clients(&run))
        drive(&run);
    // The descriptors and the memory end with the process.
    return run.result;
}
