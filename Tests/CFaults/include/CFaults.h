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
void cfaults_unmount(const char *path);
#endif

#endif
