#if __has_include(<glib-unix.h>)
#include <glib.h>
#include <glib-unix.h>
#else
#error "GLib is missing: install libglib2.0-dev (Debian, Ubuntu) or glib (Homebrew)"
#endif
