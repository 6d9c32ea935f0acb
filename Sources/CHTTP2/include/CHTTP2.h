// What AsyncUVHTTP2 needs of nghttp2, without its headers: Swift sees nothing of nghttp2.
#ifndef CHTTP2_H
#define CHTTP2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// One side of one connection: nghttp2_session, over memory. One thread at a time.
typedef struct chttp2_session chttp2_session;

enum chttp2_error {
    CHTTP2_NO_ERROR = 0,
    CHTTP2_PROTOCOL_ERROR = 1,
    CHTTP2_INTERNAL_ERROR = 2,
    CHTTP2_REFUSED_STREAM = 7,
    CHTTP2_CANCEL = 8,
    CHTTP2_ENHANCE_YOUR_CALM = 11,
};

/// What a body has for the peer.
enum chttp2_more {
    CHTTP2_MORE,
    /// These bytes are the last.
    CHTTP2_END,
    /// These bytes are the last, and fields come behind them: chttp2_submit_trailers was called.
    CHTTP2_END_WITH_FIELDS,
    /// Nothing until chttp2_resume.
    CHTTP2_NOTHING_YET,
};

/// Called by chttp2_receive and chttp2_next_output, which may not be called by them.
typedef struct chttp2_callbacks {
    void *context;
    /// A head begins, or the fields behind a body.
    void (*head_begins)(void *context, int32_t stream, bool is_first);
    /// Not 0 ends the connection.
    int (*field)(void *context, int32_t stream, const uint8_t *name, size_t name_count, const uint8_t *value,
                 size_t value_count);
    /// A head has ended, and perhaps the message.
    void (*head_ends)(void *context, int32_t stream, bool ends_stream);
    void (*data)(void *context, int32_t stream, const uint8_t *bytes, size_t count);
    /// A frame of data was the last.
    void (*data_ends)(void *context, int32_t stream);
    void (*reset)(void *context, int32_t stream, uint32_t error);
    /// Nobody sends anything more on the stream.
    void (*closed)(void *context, int32_t stream, uint32_t error);
    /// A frame begins that carries nothing of a message: PING, SETTINGS and the like, and DATA without a byte.
    void (*control)(void *context, uint8_t type, uint8_t flags);
    /// Bytes of a body that chttp2_submit_head has announced.
    size_t (*body)(void *context, int32_t stream, uint8_t *bytes, size_t room, enum chttp2_more *more);
} chttp2_callbacks;

typedef struct chttp2_settings {
    uint32_t concurrent_streams;
    /// How many bytes a stream may have that were not consumed.
    uint32_t stream_window;
    /// The same for the connection.
    uint32_t connection_window;
    uint32_t header_list_size;
    /// How many answers to PING and SETTINGS may wait.
    uint32_t waiting_acknowledgements;
} chttp2_settings;

/// NULL without memory.
chttp2_session *chttp2_server_new(const chttp2_callbacks *callbacks, const chttp2_settings *settings);
void chttp2_session_free(chttp2_session *session);

/// 0, or a negative number after which nothing more can be received.
int chttp2_receive(chttp2_session *session, const uint8_t *bytes, size_t count);
/// Bytes to send, up to the next call; 0 for none.
long chttp2_next_output(chttp2_session *session, const uint8_t **bytes);
/// The number of the frame that has begun and is not whole; 0 for none.
uint64_t chttp2_frame_under_way(const chttp2_session *session);
bool chttp2_wants_input(chttp2_session *session);
bool chttp2_wants_output(chttp2_session *session);
/// For ever.
const char *chttp2_error_text(int error);

/// Fields, one behind the other in bytes: for each, how long its name and its value are.
typedef struct chttp2_fields {
    const uint8_t *bytes;
    const size_t *lengths;
    size_t count;
} chttp2_fields;

/// The head of an answer. Without a body the message ends with it.
int chttp2_submit_head(chttp2_session *session, int32_t stream, chttp2_fields fields, bool has_body);
/// The head of an interim answer.
int chttp2_submit_interim(chttp2_session *session, int32_t stream, chttp2_fields fields);
/// The fields behind a body.
int chttp2_submit_trailers(chttp2_session *session, int32_t stream, chttp2_fields fields);
/// A body has bytes again.
void chttp2_resume(chttp2_session *session, int32_t stream);
/// Bytes of data were taken: the peer may send as many again.
void chttp2_consume(chttp2_session *session, int32_t stream, size_t count);
void chttp2_reset(chttp2_session *session, int32_t stream, uint32_t error);
/// The peer may begin no more streams; those that there are go on.
void chttp2_go_away(chttp2_session *session);
/// The connection ends with an error.
void chttp2_terminate(chttp2_session *session, uint32_t error);

const char *chttp2_library_version(void);

// For tests: the other side.

chttp2_session *chttp2_client_new(const chttp2_callbacks *callbacks, const chttp2_settings *settings);
/// The number of the stream, or a negative number.
int32_t chttp2_submit_request(chttp2_session *session, chttp2_fields fields, bool has_body);

#endif
