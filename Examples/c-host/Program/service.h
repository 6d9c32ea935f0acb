// What the service in Swift shows to C. All of it is to be called on the loop's thread.
#ifndef SERVICE_H
#define SERVICE_H

#include <uv.h>

/// Starts a server on the loop, which the caller runs. `listening` gets its port, or -1. Returns -1 if the loop cannot be used.
int service_start(uv_loop_t *loop, void (*listening)(int port));

/// Ends the server, in a few turns of the loop.
void service_stop(void);

/// How many lines have been answered.
int service_lines(void);

#endif
