// What both C servers need besides their loop: options and the line that tells a runner where to connect.
#ifndef BENCHMARKS_C_SERVER_SUPPORT_H
#define BENCHMARKS_C_SERVER_SUPPORT_H

#include <netinet/in.h>
#include <stddef.h>

/// One read takes at most this much, in every server of this package that lets one choose.
#define SERVER_CHUNK 65536

/// As in the Swift servers; Linux caps it at net.core.somaxconn.
#define SERVER_BACKLOG 1024

/// What `--split` says: each so many bytes are answered by themselves. Without it there is no such limit.
extern size_t server_split;

/// What `--local` says: the path of a local socket to listen on instead, or NULL.
extern const char *server_local;

/// What `--loops` says: threads with a loop each, which share the port.
extern int server_loops;

/// Reads `--host`, `--port` and the options above. Ends the process with a message when they make no sense.
struct sockaddr_in server_address(int argc, char **argv);

/// Prints `listening on HOST:PORT`, or the path, for a listening socket, and flushes.
void server_announce(int descriptor);

#endif
