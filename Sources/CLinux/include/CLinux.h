// What Swift's Glibc module does not show. Each function returns what the system call returns, with errno set.
#ifndef SWIFT_UV_CLINUX_H
#define SWIFT_UV_CLINUX_H

#include <net/if.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#if defined(__linux__)
#include <sys/epoll.h>
#include <sys/eventfd.h>
#endif

/// accept4(2) with SOCK_NONBLOCK and SOCK_CLOEXEC; two calls more where it does not exist.
int clinux_accept(int listener);

/// socket(2) of type SOCK_STREAM, SOCK_DGRAM, …, not blocking and closed on exec.
int clinux_socket(int family, int type);

/// A duplicate that is closed on exec, at the lowest free number.
int clinux_duplicate(int descriptor);

#endif
