// Makes system calls of the calling thread fail, for tests.
//
// inotify_add_watch(2) of a path that ends with `.refuse-N` fails with errno N, on all threads.
#ifndef SWIFT_UV_CFAULTS_H
#define SWIFT_UV_CFAULTS_H

#include <stddef.h>

/// The calling thread's accept4 fails with this errno at the call of this number, counted from 1.
void cfaults_fail_accept(int error, int call);

/// The calling thread's next so many sendmsg and sendmmsg fail with this errno. libuv's own sendmmsg is not among them.
void cfaults_fail_sends(int error, int count);

/// The calling thread's next so many preadv2 with RWF_NOWAIT find nothing in memory.
void cfaults_forget_cached(int count);

/// The calling thread's preadv2 with RWF_NOWAIT find no more than so many bytes from now on.
void cfaults_shorten_cached(size_t most);

/// Cuts the file that a path stands for, once, when somebody has found its data behind a hole: lseek(2) with SEEK_DATA.
void cfaults_cut_when_found(const char *path, long long size);

/// Look-ups of names that end in `.hang.invalid`, and of addresses that begin with 192.0.2., fail with EAI_AGAIN; from now on
/// they hang before that, until they are let go. All others are what they always are.
void cfaults_hang_look_ups(void);
void cfaults_let_look_ups_go(void);

/// How many hang at the moment.
int cfaults_hanging_look_ups(void);

/// fork(2), which Swift does not show.
int cfaults_fork(void);

/// openat2(2) fails with ENOSYS on all threads from now on, as on an older system. Returns 0, or -1 where that cannot be done.
int cfaults_forget_openat2(void);

#if defined(__linux__)
/// Mounts a volume in memory that only this process sees, with options as of mount(8). -1 without the right to do so.
int cfaults_mount_small_volume(const char *path, const char *options);

/// Mounts a file on another, for this process only. -1 without the right to do so.
int cfaults_mount_file(const char *path, const char *onto);
#endif

/// Makes every call that opens a file, or reads from it, wait until the returned descriptor is closed.
///
/// - Parameter folder: Whether the path is a directory, and the files in it are meant.
///
/// Returns -1 where that cannot be done: it takes Linux and root.
int cfaults_hold_opens(const char *path, int folder);
int cfaults_hold_reads(const char *path);

/// Gives a path a file system in memory with so many bytes, or takes it away. Returns 0, or -1 without the right to do it.
int cfaults_mount_small(const char *path, int bytes);
int cfaults_unmount(const char *path);

/// Exchanges two names in one step, as renameat2(2) with RENAME_EXCHANGE.
int cfaults_exchange(const char *one, const char *other);

#endif
