// A small C library for libuv, as clients of databases are: it asks a server, a line at a time, on its user's loop.
#ifndef LINES_H
#define LINES_H

#include <uv.h>

struct lines_client;

/// Connects to an IPv4 address; NULL when that cannot begin. Further errors come with the first answer.
struct lines_client *lines_connect(uv_loop_t *loop, const char *host, int port);

/// Sends a line. The answers come in the order of the questions, without their end; NULL when the connection has failed.
void lines_ask(struct lines_client *client, const char *line, void (*answered)(void *context, const char *answer), void *context);

/// Closes the connection; questions without an answer get NULL. Calls back when the loop is rid of it.
void lines_close(struct lines_client *client, void (*closed)(void *context), void *context);

#endif
