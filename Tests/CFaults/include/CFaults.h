// Makes system calls of the calling thread fail, for tests.
#ifndef SWIFT_UV_CFAULTS_H
#define SWIFT_UV_CFAULTS_H

/// The calling thread's accept4 fails with this errno at the call of this number, counted from 1.
void cfaults_fail_accept(int error, int call);

/// fork(2), which Swift does not show.
int cfaults_fork(void);

#endif
