#if defined(__has_include)
#if !__has_include(<nghttp2/nghttp2.h>)
#error "AsyncUVHTTP2 needs nghttp2 with its headers: apt-get install libnghttp2-dev"
#endif
#endif

#include "CHTTP2.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>

#if NGHTTP2_VERSION_NUM < 0x013000
#error "AsyncUVHTTP2 needs nghttp2 1.48 or newer"
#endif

struct chttp2_session {
    nghttp2_session *session;
    chttp2_callbacks callbacks;
    // Where in the peer's bytes we are: nghttp2 does not tell of the end of frames that it ignores.
    uint8_t frame_head[9];
    size_t frame_head_count, frame_left;
    bool heads_go_on;
    uint64_t frames;
};

// MARK: Callbacks

static int begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head, void *context) {
    (void)session;
    chttp2_session *self = context;
    switch (head->type) {
    case NGHTTP2_DATA:
        if (head->length > 0 || (head->flags & NGHTTP2_FLAG_END_STREAM) != 0) return 0;
        break;
    // As many updates of windows as frames of data are in order.
    case NGHTTP2_HEADERS:
    case NGHTTP2_RST_STREAM:
    case NGHTTP2_WINDOW_UPDATE: return 0;
    }
    // Here, because nghttp2 does not tell of frames that it ignores.
    self->callbacks.control(self->callbacks.context, head->type, head->flags);
    return 0;
}

static int begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
    (void)session;
    const chttp2_callbacks *callbacks = &((chttp2_session *)context)->callbacks;
    bool is_first = frame->headers.cat == NGHTTP2_HCAT_REQUEST || frame->headers.cat == NGHTTP2_HCAT_RESPONSE;
    callbacks->head_begins(callbacks->context, frame->hd.stream_id, is_first);
    return 0;
}

static int take_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_count,
                       const uint8_t *value, size_t value_count, uint8_t flags, void *context) {
    (void)session, (void)flags;
    const chttp2_callbacks *callbacks = &((chttp2_session *)context)->callbacks;
    int status = callbacks->field(callbacks->context, frame->hd.stream_id, name, name_count, value, value_count);
    return status == 0 ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int take_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes, size_t count,
                     void *context) {
    (void)flags;
    const chttp2_callbacks *callbacks = &((chttp2_session *)context)->callbacks;
    // What a stream keeps is limited by its own window: one that nobody reads does not stop the others.
    nghttp2_session_consume_connection(session, count);
    callbacks->data(callbacks->context, stream, bytes, count);
    return 0;
}

static int take_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
    (void)session;
    chttp2_session *self = context;
    const chttp2_callbacks *callbacks = &self->callbacks;
    bool ends_stream = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        callbacks->head_ends(callbacks->context, frame->hd.stream_id, ends_stream);
        break;
    case NGHTTP2_DATA:
        if (ends_stream) callbacks->data_ends(callbacks->context, frame->hd.stream_id);
        break;
    case NGHTTP2_RST_STREAM:
        callbacks->reset(callbacks->context, frame->hd.stream_id, frame->rst_stream.error_code);
        break;
    default: break;
    }
    return 0;
}

// A head that is longer than nghttp2 sends: without this its stream would stay open, and its peer would wait.
static int frame_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int error, void *context) {
    (void)context;
    if (frame->hd.type != NGHTTP2_HEADERS || error == NGHTTP2_ERR_STREAM_CLOSED ||
        error == NGHTTP2_ERR_STREAM_CLOSING) {
        return 0;
    }
    return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_INTERNAL_ERROR);
}

static int close_stream(nghttp2_session *session, int32_t stream, uint32_t error, void *context) {
    (void)session;
    const chttp2_callbacks *callbacks = &((chttp2_session *)context)->callbacks;
    callbacks->closed(callbacks->context, stream, error);
    return 0;
}

static ssize_t give_data(nghttp2_session *session, int32_t stream, uint8_t *bytes, size_t room, uint32_t *flags,
                         nghttp2_data_source *source, void *context) {
    (void)session, (void)source;
    const chttp2_callbacks *callbacks = &((chttp2_session *)context)->callbacks;
    enum chttp2_more more = CHTTP2_MORE;
    size_t count = callbacks->body(callbacks->context, stream, bytes, room, &more);
    switch (more) {
    case CHTTP2_MORE: break;
    case CHTTP2_END: *flags |= NGHTTP2_DATA_FLAG_EOF; break;
    case CHTTP2_END_WITH_FIELDS: *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM; break;
    case CHTTP2_NOTHING_YET: return NGHTTP2_ERR_DEFERRED;
    }
    return (ssize_t)count;
}

// MARK: Sessions

static chttp2_session *new_session(const chttp2_callbacks *own, const chttp2_settings *settings, bool is_server) {
    chttp2_session *self = calloc(1, sizeof *self);
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    if (self == NULL || nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0) goto failed;
    self->callbacks = *own;
    self->frame_left = is_server ? NGHTTP2_CLIENT_MAGIC_LEN : 0;
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, take_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, take_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, take_frame);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, frame_not_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, close_stream);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_send_header_block_length(option, 1 << 20);
    nghttp2_option_set_max_outbound_ack(option, settings->waiting_acknowledgements);
    int status = is_server ? nghttp2_session_server_new2(&self->session, callbacks, self, option)
                           : nghttp2_session_client_new2(&self->session, callbacks, self, option);
    if (status != 0) goto failed;
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    callbacks = NULL;
    option = NULL;
    // Without the priorities of RFC 7540 nghttp2 keeps no tree of streams.
    nghttp2_settings_entry entries[] = {
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings->stream_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings->header_list_size},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
        {is_server ? NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS : NGHTTP2_SETTINGS_ENABLE_PUSH,
         is_server ? settings->concurrent_streams : 0},
    };
    if (nghttp2_submit_settings(self->session, NGHTTP2_FLAG_NONE, entries, sizeof entries / sizeof *entries) != 0 ||
        nghttp2_session_set_local_window_size(self->session, NGHTTP2_FLAG_NONE, 0,
                                              (int32_t)settings->connection_window) != 0) {
        goto failed;
    }
    return self;

failed:
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    chttp2_session_free(self);
    return NULL;
}

chttp2_session *chttp2_server_new(const chttp2_callbacks *callbacks, const chttp2_settings *settings) {
    return new_session(callbacks, settings, true);
}

chttp2_session *chttp2_client_new(const chttp2_callbacks *callbacks, const chttp2_settings *settings) {
    return new_session(callbacks, settings, false);
}

void chttp2_session_free(chttp2_session *self) {
    if (self == NULL) return;
    nghttp2_session_del(self->session);
    free(self);
}

// A connection is read by pieces that end anywhere.
static void follow_frames(chttp2_session *self, const uint8_t *bytes, size_t count) {
    while (count > 0) {
        if (self->frame_left > 0) {
            size_t part = count < self->frame_left ? count : self->frame_left;
            self->frame_left -= part;
            bytes += part;
            count -= part;
            continue;
        }
        // One that goes on with a head is a part of the frame that began it.
        if (self->frame_head_count == 0 && !self->heads_go_on) self->frames++;
        self->frame_head[self->frame_head_count++] = *bytes++;
        count--;
        if (self->frame_head_count < sizeof self->frame_head) continue;
        const uint8_t *head = self->frame_head;
        self->frame_left = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
        self->frame_head_count = 0;
        if (head[3] == NGHTTP2_HEADERS || head[3] == NGHTTP2_CONTINUATION) {
            self->heads_go_on = (head[4] & NGHTTP2_FLAG_END_HEADERS) == 0;
        }
    }
}

int chttp2_receive(chttp2_session *self, const uint8_t *bytes, size_t count) {
    ssize_t taken = nghttp2_session_mem_recv(self->session, bytes, count);
    follow_frames(self, bytes, count);
    return taken < 0 ? (int)taken : 0;
}

long chttp2_next_output(chttp2_session *self, const uint8_t **bytes) {
    ssize_t count = nghttp2_session_mem_send(self->session, bytes);
    return (long)count;
}

uint64_t chttp2_frame_under_way(const chttp2_session *self) {
    return self->frame_left > 0 || self->frame_head_count > 0 || self->heads_go_on ? self->frames : 0;
}
bool chttp2_wants_input(chttp2_session *self) { return nghttp2_session_want_read(self->session) != 0; }
bool chttp2_wants_output(chttp2_session *self) { return nghttp2_session_want_write(self->session) != 0; }
const char *chttp2_error_text(int error) { return nghttp2_strerror(error); }

// MARK: Messages

enum { FEW_FIELDS = 32 };

/// The fields as nghttp2 wants them: in few, if there is room, else to be freed. NULL without memory.
static nghttp2_nv *with_pointers(chttp2_fields fields, nghttp2_nv *few) {
    nghttp2_nv *pairs = fields.count <= FEW_FIELDS ? few : calloc(fields.count, sizeof *pairs);
    if (pairs == NULL) return NULL;
    uint8_t *next = (uint8_t *)fields.bytes;
    for (size_t i = 0; i < fields.count; i++) {
        size_t name = fields.lengths[2 * i], value = fields.lengths[2 * i + 1];
        pairs[i] = (nghttp2_nv){next, next + name, name, value, NGHTTP2_NV_FLAG_NONE};
        next += name + value;
    }
    return pairs;
}

int chttp2_submit_head(chttp2_session *self, int32_t stream, chttp2_fields fields, bool has_body) {
    nghttp2_nv few[FEW_FIELDS], *pairs = with_pointers(fields, few);
    if (pairs == NULL) return NGHTTP2_ERR_NOMEM;
    nghttp2_data_provider body = {.read_callback = give_data};
    int status = nghttp2_submit_response(self->session, stream, pairs, fields.count, has_body ? &body : NULL);
    if (pairs != few) free(pairs);
    return status;
}

int32_t chttp2_submit_request(chttp2_session *self, chttp2_fields fields, bool has_body) {
    nghttp2_nv few[FEW_FIELDS], *pairs = with_pointers(fields, few);
    if (pairs == NULL) return NGHTTP2_ERR_NOMEM;
    nghttp2_data_provider body = {.read_callback = give_data};
    int32_t stream = nghttp2_submit_request(self->session, NULL, pairs, fields.count, has_body ? &body : NULL, NULL);
    if (pairs != few) free(pairs);
    return stream;
}

int chttp2_submit_interim(chttp2_session *self, int32_t stream, chttp2_fields fields) {
    nghttp2_nv few[FEW_FIELDS], *pairs = with_pointers(fields, few);
    if (pairs == NULL) return NGHTTP2_ERR_NOMEM;
    int status = nghttp2_submit_headers(self->session, NGHTTP2_FLAG_NONE, stream, NULL, pairs, fields.count, NULL);
    if (pairs != few) free(pairs);
    return status;
}

int chttp2_submit_trailers(chttp2_session *self, int32_t stream, chttp2_fields fields) {
    nghttp2_nv few[FEW_FIELDS], *pairs = with_pointers(fields, few);
    if (pairs == NULL) return NGHTTP2_ERR_NOMEM;
    int status = nghttp2_submit_trailer(self->session, stream, pairs, fields.count);
    if (pairs != few) free(pairs);
    return status;
}

void chttp2_resume(chttp2_session *self, int32_t stream) { nghttp2_session_resume_data(self->session, stream); }

void chttp2_consume(chttp2_session *self, int32_t stream, size_t count) {
    nghttp2_session_consume_stream(self->session, stream, count);
}

void chttp2_reset(chttp2_session *self, int32_t stream, uint32_t error) {
    nghttp2_submit_rst_stream(self->session, NGHTTP2_FLAG_NONE, stream, error);
}

void chttp2_go_away(chttp2_session *self) {
    nghttp2_submit_goaway(self->session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(self->session),
                          NGHTTP2_NO_ERROR, NULL, 0);
}

void chttp2_terminate(chttp2_session *self, uint32_t error) { nghttp2_session_terminate_session(self->session, error); }

const char *chttp2_library_version(void) { return nghttp2_version(0)->version_str; }
