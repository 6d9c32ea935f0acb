// Makes system calls of the calling thread fail, for tests.
#ifndef SWIFT_UV_CFAULTS_H
#define SWIFT_UV_CFAULTS_H

/// The calling thread's accept4 fails with this errno at the call of this number, counted from 1.
void cfaults_fail_accept(int error, int call);

/// fork(2), which Swift does not show.
int cfaults_fork(void);

#if defined(__linux__)
/// Mounts a volume in memory that only this process sees, with options as of mount(8). -1 without the right to do so.
int cfaults_mount_small_volume(const char *path, const char *options);
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

#endif
