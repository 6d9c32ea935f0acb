#ifndef CPROCESSES_H
#define CPROCESSES_H

/// Starts so many children with libuv, all at once, and waits for their ends. Returns how many have ended with 0, or a negative
/// code of libuv.
int cprocesses_run(int count, const char *program);

/// The same, one after the other.
int cprocesses_run_in_turn(int count, const char *program);

#endif
