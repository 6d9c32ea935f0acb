// Sending datagrams in C on libuv, and what a measurement of sends needs.
#ifndef BENCHMARKS_CDATAGRAMS_H
#define BENCHMARKS_CDATAGRAMS_H

#include <stdint.h>

/// How many are sent between two looks at the clock; then the sink is emptied. They fit into its buffer.
enum { cdatagrams_group = 32 };

/// A socket of loopback that is sent to; its port is filled in.
int cdatagrams_sink(uint16_t *port);

/// Takes what has come to the sink: how many datagrams.
int cdatagrams_drain(int sink);

/// CPU time of the calling thread in nanoseconds.
double cdatagrams_cpu(void);

/// CPU nanoseconds of a `uv_udp_try_send` of `size` bytes to the sink. Negative when one got lost.
double cdatagrams_send(int sink, uint16_t port, int size, int groups);

#endif
