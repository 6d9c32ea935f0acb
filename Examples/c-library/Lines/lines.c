#include "lines.h"

#include <stdlib.h>
#include <string.h>

struct question {
    struct question *next;
    void (*answered)(void *context, const char *answer);
    void *context;
};

struct lines_client {
    uv_tcp_t socket;
    uv_connect_t connect;
    // What is sent when the connection is there, and what has come of a line.
    char *unsent, *unread;
    size_t unsent_length, unread_length;
    int state;  // 0: connecting, 1: connected, -1: failed or closed
    struct question *first, **last;
    void (*closed)(void *context);
    void *context;
};

static char *append(char *text, size_t *length, const char *more, size_t count) {
    text = realloc(text, *length + count + 1);
    if (text == NULL) abort();
    memcpy(text + *length, more, count);
    *length += count;
    text[*length] = 0;
    return text;
}

static void answer(struct lines_client *client, const char *line) {
    struct question *question = client->first;
    if (question == NULL) return;
    client->first = question->next;
    if (client->first == NULL) client->last = &client->first;
    question->answered(question->context, line);
    free(question);
}

static void fail(struct lines_client *client) {
    client->state = -1;
    while (client->first != NULL) answer(client, NULL);
}

static void make_room(uv_handle_t *handle, size_t size, uv_buf_t *room) {
    (void)handle;
    *room = uv_buf_init(malloc(size), size);
}

static void have_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes) {
    struct lines_client *client = (struct lines_client *)stream;
    if (count > 0) client->unread = append(client->unread, &client->unread_length, bytes->base, count);
    free(bytes->base);
    char *end;
    while (client->unread_length > 0 && (end = memchr(client->unread, '\n', client->unread_length)) != NULL) {
        *end = 0;
        answer(client, client->unread);
        client->unread_length -= end + 1 - client->unread;
        memmove(client->unread, end + 1, client->unread_length);
    }
    if (count < 0) {
        uv_read_stop(stream);
        fail(client);
    }
}

struct write {
    uv_write_t request;
    char *text;
};

static void have_written(uv_write_t *request, int status) {
    (void)status;  // The reader learns of it, too.
    free(((struct write *)request)->text);
    free(request);
}

// Hands over what is unsent.
static void send_all(struct lines_client *client) {
    struct write *write = malloc(sizeof *write);
    uv_buf_t bytes = uv_buf_init(client->unsent, client->unsent_length);
    write->text = client->unsent;
    client->unsent = NULL;
    client->unsent_length = 0;
    uv_write(&write->request, (uv_stream_t *)&client->socket, &bytes, 1, have_written);
}

static void connected(uv_connect_t *request, int status) {
    struct lines_client *client = request->data;
    if (client->state < 0) return;
    if (status != 0) return fail(client);
    client->state = 1;
    uv_read_start((uv_stream_t *)&client->socket, make_room, have_read);
    if (client->unsent_length > 0) send_all(client);
}

struct lines_client *lines_connect(uv_loop_t *loop, const char *host, int port) {
    struct sockaddr_in address;
    if (uv_ip4_addr(host, port, &address) != 0) return NULL;
    struct lines_client *client = calloc(1, sizeof *client);
    if (client == NULL) return NULL;
    client->last = &client->first;
    client->connect.data = client;
    uv_tcp_init(loop, &client->socket);
    if (uv_tcp_connect(&client->connect, &client->socket, (struct sockaddr *)&address, connected) != 0) {
        client->state = -1;
    }
    return client;
}

void lines_ask(struct lines_client *client, const char *line, void (*answered)(void *, const char *), void *context) {
    if (client->state < 0) return answered(context, NULL);
    struct question *question = malloc(sizeof *question);
    *question = (struct question){NULL, answered, context};
    *client->last = question;
    client->last = &question->next;
    client->unsent = append(client->unsent, &client->unsent_length, line, strlen(line));
    client->unsent = append(client->unsent, &client->unsent_length, "\n", 1);
    if (client->state == 1) send_all(client);
}

static void have_closed(uv_handle_t *handle) {
    struct lines_client *client = (struct lines_client *)handle;
    client->closed(client->context);
    free(client->unsent);
    free(client->unread);
    free(client);
}

void lines_close(struct lines_client *client, void (*closed)(void *), void *context) {
    client->closed = closed;
    client->context = context;
    fail(client);
    uv_close((uv_handle_t *)&client->socket, have_closed);
}
