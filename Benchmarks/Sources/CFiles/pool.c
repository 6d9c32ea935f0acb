#include "CFiles.h"

#include <fcntl.h>
#include <stdlib.h>
#include <uv.h>

struct run {
    uv_file file;
    int block, blocks;
    uint32_t state;
    long to_start, left;
    const char *path;
    int failed;
};

struct reader {
    uv_fs_t request;
    struct run *run;
    char *buffer;
};

static void next(struct reader *reader);

static void read_done(uv_fs_t *request) {
    struct reader *reader = (struct reader *)request;
    if (request->result != reader->run->block) reader->run->failed = 1;
    uv_fs_req_cleanup(request);
    reader->run->left--;
    next(reader);
}

static void next(struct reader *reader) {
    struct run *run = reader->run;
    if (run->to_start == 0 || run->failed) return;
    run->to_start--;
    uv_buf_t buffer = uv_buf_init(reader->buffer, run->block);
    int64_t offset = (int64_t)cfiles_place(&run->state, run->blocks) * run->block;
    uv_fs_read(uv_default_loop(), &reader->request, run->file, &buffer, 1, offset, read_done);
}

double cfiles_pool(const char *path, int block, int blocks, int depth, long count) {
    uv_loop_t *loop = uv_default_loop();
    uv_fs_t open;
    struct run run = {.block = block, .blocks = blocks, .state = 1, .to_start = count, .left = count};
    run.file = uv_fs_open(NULL, &open, path, O_RDONLY | O_CLOEXEC, 0, NULL);
    uv_fs_req_cleanup(&open);
    if (run.file < 0) return -1;
    struct reader *readers = calloc(depth, sizeof *readers);
    uint64_t start = uv_hrtime();
    for (int i = 0; i < depth; i++) {
        readers[i].run = &run;
        readers[i].buffer = malloc(block);
        next(&readers[i]);
    }
    uv_run(loop, UV_RUN_DEFAULT);
    double time = (double)(uv_hrtime() - start);
    for (int i = 0; i < depth; i++) free(readers[i].buffer);
    free(readers);
    uv_fs_close(NULL, &open, run.file, NULL);
    uv_fs_req_cleanup(&open);
    return run.failed || run.left ? -1 : time / count;
}

static void open_done(uv_fs_t *request);

static void start_file(struct reader *reader) {
    struct run *run = reader->run;
    if (run->to_start-- == 0 || run->failed) return;
    uv_fs_open(uv_default_loop(), &reader->request, run->path, O_RDONLY | O_CLOEXEC, 0, open_done);
}

static void close_done(uv_fs_t *request) {
    struct reader *reader = (struct reader *)request;
    uv_fs_req_cleanup(request);
    reader->run->left--;
    start_file(reader);
}

static void content_done(uv_fs_t *request) {
    struct reader *reader = (struct reader *)request;
    if (request->result != reader->run->block) reader->run->failed = 1;
    uv_fs_req_cleanup(request);
    free(reader->buffer);
    uv_fs_close(uv_default_loop(), request, reader->run->file, close_done);
}

static void status_done(uv_fs_t *request) {
    struct reader *reader = (struct reader *)request;
    reader->run->block = (int)request->statbuf.st_size;
    uv_fs_req_cleanup(request);
    reader->buffer = malloc(reader->run->block + 1);
    uv_buf_t buffer = uv_buf_init(reader->buffer, reader->run->block + 1);
    uv_fs_read(uv_default_loop(), request, reader->run->file, &buffer, 1, 0, content_done);
}

static void open_done(uv_fs_t *request) {
    struct reader *reader = (struct reader *)request;
    reader->run->file = (uv_file)request->result;
    uv_fs_req_cleanup(request);
    if (reader->run->file < 0) {
        reader->run->failed = 1;
        return;
    }
    uv_fs_fstat(uv_default_loop(), request, reader->run->file, status_done);
}

double cfiles_pool_whole(const char *path, long count) {
    struct run run = {.path = path, .to_start = count, .left = count};
    struct reader reader = {.run = &run};
    uint64_t start = uv_hrtime();
    start_file(&reader);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    return run.failed || run.left ? -1 : (double)(uv_hrtime() - start) / count;
}

double cfiles_cold_pool(const char *path, int block, int blocks, long count) {
    uv_fs_t open;
    struct run run = {.block = block, .blocks = blocks, .state = 1};
    run.file = uv_fs_open(NULL, &open, path, O_RDONLY | O_CLOEXEC, 0, NULL);
    uv_fs_req_cleanup(&open);
    if (run.file < 0) return -1;
    struct reader reader = {.run = &run, .buffer = malloc(block)};
    double time = 0;
    for (long i = 0; i < count; i++) {
        if (cfiles_evict(path) != 0) run.failed = 1;
        run.to_start = run.left = 1;
        double start = cfiles_now();
        next(&reader);
        uv_run(uv_default_loop(), UV_RUN_DEFAULT);
        time += cfiles_now() - start;
    }
    free(reader.buffer);
    uv_fs_close(NULL, &open, run.file, NULL);
    uv_fs_req_cleanup(&open);
    return run.failed ? -1 : time / count;
}
