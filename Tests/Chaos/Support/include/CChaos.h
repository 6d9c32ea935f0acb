// What the chaos program needs below Swift: a black box that survives a trap, a watchdog, bytes that can be checked, and plain
// peers. Nothing here calls the functions that the shim makes fail: its own system calls are made directly.
#ifndef SWIFT_UV_CCHAOS_H
#define SWIFT_UV_CCHAOS_H

#include <stddef.h>
#include <stdint.h>

/// Begins a round: the black box is emptied and remembers the seed.
void chaos_begin(uint64_t seed, int layer);

/// Remembers an operation: the last 64 are printed with the seed when the process dies.
void chaos_note(const char *text);

/// The round is alive. From the first call on the process aborts when there is none for so many seconds.
void chaos_watch(int seconds);
void chaos_beat(void);

/// Prints the seed, the last operations and the text, and aborts.
_Noreturn void chaos_fail(const char *text);

/// How many descriptors the process has open.
int chaos_descriptors(void);

/// Prints what descriptors there are.
void chaos_list_descriptors(void);

/// Bytes of a stream whose values follow from their places. The first byte is the stream's name.
void chaos_fill(uint8_t *bytes, size_t count, uint8_t stream, uint64_t place);

/// Where the first wrong byte is, or -1.
long chaos_check(const uint8_t *bytes, size_t count, uint8_t stream, uint64_t place);

/// A socket that nobody's loop watches, connected or being connected; -1 if that fails. It never blocks.
int chaos_connect(uint16_t port);
int chaos_connect_local(const char *path);
int chaos_pair(int *one, int *other);

/// Sends bytes of a stream; returns how many.
long chaos_send(int socket, uint8_t stream, uint64_t place, size_t count);

/// Takes all that has come and checks it; moves the place. A stream of -1 is learned from the first byte. Returns 0, -1 at the
/// end or after an error, -2 for a wrong byte.
int chaos_take(int socket, int *stream, uint64_t *place);
void chaos_half_close(int socket);
void chaos_close(int socket);
void chaos_reset(int socket);

/// A terminal: the person's end, which never blocks, and the program's. Returns 0 or -1.
int chaos_terminal(int *person, int *program);

/// Types bytes of a stream; returns how many.
long chaos_type(int person, uint8_t stream, uint64_t place, size_t count);

/// As chaos_take, of what was printed.
int chaos_take_printed(int person, int *stream, uint64_t *place);

/// Whether a terminal has lines with echo.
int chaos_is_cooked(int program);

/// Sends a signal to this process.
void chaos_signal(int number);

/// Tells the shim that system calls may fail from now on, with so many in a thousand; 0: none. Nothing without the shim.
void chaos_faults(int rate, uint64_t seed);

/// How many calls the shim has made fail or cut short.
unsigned long chaos_fault_count(void);
int chaos_has_faults(void);

/// Children get no shim.
void chaos_forget_shim(void);

/// Makes a directory with a name of its own in place of the X. Returns 0 or -1.
int chaos_make_folder(char *path);

/// Removes a directory and all that is in it.
void chaos_remove_folder(const char *path);

/// Keeps the calling thread for so many milliseconds.
void chaos_pause(int milliseconds);

#endif
