#define _GNU_SOURCE
#include "CFiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

double cfiles_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

double cfiles_pread(const char *path, int block, int blocks, long count) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    char *buffer = malloc(block);
    uint32_t state = 1;
    double start = cfiles_now();
    for (long i = 0; i < count; i++) {
        if (pread(file, buffer, block, (off_t)cfiles_place(&state, blocks) * block) != block) return -1;
    }
    double time = cfiles_now() - start;
    free(buffer);
    close(file);
    return time / count;
}

double cfiles_whole(const char *path, long count) {
    double start = cfiles_now();
    for (long i = 0; i < count; i++) {
        int file = open(path, O_RDONLY | O_CLOEXEC);
        struct stat status;
        if (file < 0 || fstat(file, &status) < 0) return -1;
        char *buffer = malloc(status.st_size + 1);
        if (read(file, buffer, status.st_size + 1) != status.st_size) return -1;
        free(buffer);
        close(file);
    }
    return (cfiles_now() - start) / count;
}

int cfiles_evict(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return errno;
    fsync(file);
    int error = posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    close(file);
    return error;
}

double cfiles_cold_pread(const char *path, int block, int blocks, long count) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    char *buffer = malloc(block);
    uint32_t state = 1;
    double time = 0;
    for (long i = 0; i < count && time >= 0; i++) {
        off_t place = (off_t)cfiles_place(&state, blocks) * block;
        if (cfiles_evict(path) != 0) time = -1;
        double start = cfiles_now();
        if (pread(file, buffer, block, place) != block) time = -1;
        if (time >= 0) time += cfiles_now() - start;
    }
    free(buffer);
    close(file);
    return time < 0 ? -1 : time / count;
}
