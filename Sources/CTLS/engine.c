#include "internal.h"

#include <string.h>

// MARK: Memory

// Each thread keeps one buffer for output between two calls: most output has left when the call that has made it returns.
static _Thread_local uint8_t *spare;
static _Thread_local size_t spare_room;
static _Thread_local bool has_spare_key;
static pthread_key_t spare_key;
static pthread_once_t spare_once = PTHREAD_ONCE_INIT;

enum { SPARE_ROOM = 96 * 1024 };

static void free_spare(void *buffer) {
    (void)buffer;
    free(spare);
    spare = NULL;
}

static void make_spare_key(void) { pthread_key_create(&spare_key, free_spare); }

static void take_spare(ctls_engine *engine, size_t least) {
    engine->output = spare;
    engine->output_room = spare_room;
    spare = NULL;
    if (engine->output == NULL) {
        engine->output_room = least > SPARE_ROOM ? least : SPARE_ROOM;
        engine->output = malloc(engine->output_room);
        if (engine->output == NULL) abort();
    }
}

static void give_spare(ctls_engine *engine) {
    if (spare == NULL && engine->output_room == SPARE_ROOM) {
        if (!has_spare_key) {
            // Its value only says that there is something to do at the thread's end.
            pthread_once(&spare_once, make_spare_key);
            has_spare_key = pthread_setspecific(spare_key, &spare_key) == 0;
        }
        spare = engine->output;
        spare_room = engine->output_room;
    } else {
        free(engine->output);
    }
    engine->output = NULL;
    engine->output_start = engine->output_end = engine->output_room = 0;
}

// MARK: The BIO between SSL and the engine

static int bio_read(BIO *bio, char *bytes, int room) {
    ctls_engine *engine = BIO_get_data(bio);
    engine->is_starved = engine->input_count == 0;
    if (engine->is_starved) {
        BIO_set_retry_read(bio);
        return -1;
    }
    BIO_clear_retry_flags(bio);
    size_t count = engine->input_count < (size_t)room ? engine->input_count : (size_t)room;
    memcpy(bytes, engine->input, count);
    engine->input += count;
    engine->input_count -= count;
    return (int)count;
}

static int bio_write(BIO *bio, const char *bytes, int count) {
    ctls_engine *engine = BIO_get_data(bio);
    if (engine->output == NULL) take_spare(engine, (size_t)count);
    if (engine->output_room - engine->output_end < (size_t)count) {
        size_t room = (engine->output_end + (size_t)count) * 2;
        uint8_t *larger = realloc(engine->output, room);
        if (larger == NULL) abort();
        engine->output = larger;
        engine->output_room = room;
    }
    memcpy(engine->output + engine->output_end, bytes, (size_t)count);
    engine->output_end += (size_t)count;
    return count;
}

static long bio_control(BIO *bio, int command, long number, void *pointer) {
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static int bio_create(BIO *bio) {
    BIO_set_init(bio, 1);
    return 1;
}

static BIO_METHOD *bio_method;

static void make_bio_method(void) {
    bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "swift-uv");
    if (bio_method == NULL) abort();
    BIO_meth_set_read(bio_method, bio_read);
    BIO_meth_set_write(bio_method, bio_write);
    BIO_meth_set_ctrl(bio_method, bio_control);
    BIO_meth_set_create(bio_method, bio_create);
}

BIO_METHOD *ctls_bio_method(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_bio_method);
    return bio_method;
}

// MARK: Engines

static bool name_peer(ctls_engine *engine, const char *name) {
    X509_VERIFY_PARAM *parameters = SSL_get0_param(engine->ssl);
    if (ctls_is_address(name)) return X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1;
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(parameters, name, 0) == 1 && SSL_set_tlsext_host_name(engine->ssl, name) == 1;
}

ctls_engine *ctls_engine_new(ctls_context *context, const char *name, const char *session_key, ctls_problem *problem) {
    ctls_engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL) abort();
    engine->context = context;
    engine->ssl = SSL_new(context->ssl);
    BIO *bio = BIO_new(ctls_bio_method());
    if (engine->ssl == NULL || bio == NULL) abort();
    BIO_set_data(bio, engine);
    SSL_set_bio(engine->ssl, bio, bio);
    SSL_set_app_data(engine->ssl, engine);
    if (context->is_server) {
        SSL_set_accept_state(engine->ssl);
        return engine;
    }
    SSL_set_connect_state(engine->ssl);
    if (name != NULL && !name_peer(engine, name)) {
        ctls_explain(problem, "the server's name is wrong");
        ctls_engine_free(engine);
        return NULL;
    }
    if (session_key == NULL) return engine;
    engine->session_key = strdup(session_key);
    SSL_SESSION *session = ctls_find_session(context, session_key);
    if (session != NULL) SSL_set_session(engine->ssl, session);
    SSL_SESSION_free(session);
    return engine;
}

void ctls_engine_free(ctls_engine *engine) {
    // Otherwise SSL_free takes the session of a connection without our close_notify for a bad one.
    SSL_set_shutdown(engine->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(engine->ssl);
    free(engine->own_input);
    free(engine->output);
    free(engine->session_key);
    if (engine->failure != NULL) X509_free(engine->failure->certificate);
    free(engine->failure);
    free(engine);
}

// MARK: Input

void ctls_engine_give(ctls_engine *engine, const uint8_t *bytes, size_t count) {
    if (count == 0) return;
    engine->is_starved = false;
    if (engine->input_count == 0) {
        engine->input = bytes;
        engine->input_count = count;
        return;
    }
    size_t rest = engine->input_count;
    if (engine->own_room < rest + count) {
        uint8_t *larger = malloc(rest + count);
        if (larger == NULL) abort();
        memcpy(larger, engine->input, rest);
        free(engine->own_input);
        engine->own_input = larger;
        engine->own_room = rest + count;
    } else {
        memmove(engine->own_input, engine->input, rest);
    }
    memcpy(engine->own_input + rest, bytes, count);
    engine->input = engine->own_input;
    engine->input_count = rest + count;
}

void ctls_engine_keep_input(ctls_engine *engine) {
    if (engine->input_count == 0) {
        free(engine->own_input);
        engine->own_input = NULL;
        engine->own_room = 0;
        engine->input = NULL;
        return;
    }
    if (engine->own_input != NULL && engine->input >= engine->own_input
        && engine->input < engine->own_input + engine->own_room) return;
    const uint8_t *lent = engine->input;
    size_t count = engine->input_count;
    uint8_t *own = malloc(count);
    if (own == NULL) abort();
    memcpy(own, lent, count);
    free(engine->own_input);
    engine->own_input = own;
    engine->own_room = count;
    engine->input = own;
}

size_t ctls_engine_available(const ctls_engine *engine) {
    if (engine->is_starved || engine->is_closed) return 0;
    // A record that SSL has begun has so many bytes at most.
    return engine->input_count + (SSL_has_pending(engine->ssl) ? 2 * SSL3_RT_MAX_PLAIN_LENGTH : 0);
}

bool ctls_engine_is_over(const ctls_engine *engine) { return engine->is_closed || engine->failure != NULL; }

// MARK: Failures

static void note_certificate(ctls_engine *engine, struct failure *failure, int number) {
    failure->kind = CTLS_FAILURE_CERTIFICATE;
    failure->number = number;
    STACK_OF(X509) *chain = SSL_get0_verified_chain(engine->ssl);
    if (chain == NULL || sk_X509_num(chain) == 0) return;
    failure->certificate = sk_X509_value(chain, 0);
    X509_up_ref(failure->certificate);
}

/// Why a call of SSL has failed. The last error of the thread's queue is this call's; those before may be anybody's. Empties it.
static unsigned long take_error(void) {
    unsigned long error = ERR_peek_last_error(), next;
    // What followed from a wrong certificate stands behind it.
    while ((next = ERR_get_error()) != 0)
        if (ERR_GET_LIB(next) == ERR_LIB_SSL && ERR_GET_REASON(next) == SSL_R_CERTIFICATE_VERIFY_FAILED) error = next;
    return error;
}

static enum ctls_status failed(ctls_engine *engine, unsigned long error) {
    if (engine->failure != NULL) return CTLS_FAILED;
    struct failure *failure = engine->failure = calloc(1, sizeof *failure);
    if (failure == NULL) abort();
    int reason = ERR_GET_REASON(error);
    const char *text = error != 0 ? ERR_reason_error_string(error) : NULL;
    snprintf(failure->text, sizeof failure->text, "%s", text != NULL ? text : "the connection cannot go on");
    if (ERR_GET_LIB(error) != ERR_LIB_SSL) return CTLS_FAILED;
    if (reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256) {
        failure->kind = CTLS_FAILURE_ALERT;
        failure->number = reason - SSL_AD_REASON_OFFSET;
    } else if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        note_certificate(engine, failure, (int)SSL_get_verify_result(engine->ssl));
    } else if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
        failure->kind = CTLS_FAILURE_NO_CERTIFICATE;
    }
    return CTLS_FAILED;
}

/// What a call of SSL that has not done its work means. SSL_get_error would look at the queue of errors first, where others of this
/// thread may have left theirs, and it takes any alert for close_notify where it is empty. SSL_want_read is true after an alert, too.
static enum ctls_status result(ctls_engine *engine) {
    if (engine->is_starved) return CTLS_STARVED;
    if (engine->has_alert && engine->alert == SSL_AD_CLOSE_NOTIFY) {
        engine->is_closed = true;
        return CTLS_CLOSED;
    }
    return failed(engine, take_error());
}

ctls_failure ctls_engine_failure(const ctls_engine *engine) {
    const struct failure *failure = engine->failure;
    if (failure == NULL) return (ctls_failure){CTLS_FAILURE_OTHER, 0, ""};
    return (ctls_failure){failure->kind, failure->number, failure->text};
}

ctls_certificate *ctls_engine_failed_certificate(const ctls_engine *engine) {
    if (engine->failure == NULL || engine->failure->certificate == NULL) return NULL;
    X509_up_ref(engine->failure->certificate);
    return (ctls_certificate *)engine->failure->certificate;
}

// MARK: Work

enum ctls_status ctls_engine_handshake(ctls_engine *engine) {
    if (engine->failure != NULL) return CTLS_FAILED;
    return SSL_do_handshake(engine->ssl) == 1 ? CTLS_OK : result(engine);
}

enum ctls_status ctls_engine_take(ctls_engine *engine, uint8_t *bytes, size_t room, size_t *count) {
    *count = 0;
    if (engine->is_closed) return CTLS_CLOSED;
    if (engine->failure != NULL) return CTLS_FAILED;
    while (*count < room) {
        size_t more = 0;
        // One call for a record's head and body, where that does not leave the beginning of another in SSL's memory.
        SSL_set_read_ahead(engine->ssl, engine->input_count <= SSL3_RT_MAX_PLAIN_LENGTH);
        if (SSL_read_ex(engine->ssl, bytes + *count, room - *count, &more) != 1) {
            enum ctls_status status = result(engine);
            // A failure is kept for the next call: these bytes came before it.
            return *count > 0 ? CTLS_OK : status;
        }
        *count += more;
        if (engine->input_count == 0 && !SSL_has_pending(engine->ssl)) {
            engine->is_starved = true;
            break;
        }
    }
    return *count > 0 ? CTLS_OK : CTLS_STARVED;
}

enum ctls_status ctls_engine_seal(ctls_engine *engine, const uint8_t *bytes, size_t count) {
    if (engine->failure != NULL) return CTLS_FAILED;
    while (count > 0) {
        size_t written = 0;
        if (SSL_write_ex(engine->ssl, bytes, count, &written) != 1) return failed(engine, take_error());
        bytes += written;
        count -= written;
    }
    return CTLS_OK;
}

void ctls_engine_finish(ctls_engine *engine) {
    if (engine->failure != NULL || !SSL_is_init_finished(engine->ssl)) return;
    if (SSL_shutdown(engine->ssl) < 0) ERR_clear_error();
}

bool ctls_engine_update_keys(ctls_engine *engine) {
    return SSL_key_update(engine->ssl, SSL_KEY_UPDATE_REQUESTED) == 1 && SSL_do_handshake(engine->ssl) == 1;
}

ctls_bytes ctls_engine_output(const ctls_engine *engine) {
    return (ctls_bytes){engine->output + engine->output_start, engine->output_end - engine->output_start};
}

void ctls_engine_sent(ctls_engine *engine, size_t count) {
    engine->output_start += count;
    if (engine->output != NULL && engine->output_start == engine->output_end) give_spare(engine);
}

// MARK: What was agreed

int ctls_engine_version(const ctls_engine *engine) { return SSL_version(engine->ssl) - TLS1_VERSION; }

const char *ctls_engine_cipher(const ctls_engine *engine) { return SSL_CIPHER_standard_name(SSL_get_current_cipher(engine->ssl)); }

ctls_bytes ctls_engine_protocol(const ctls_engine *engine) {
    const unsigned char *name = NULL;
    unsigned count = 0;
    SSL_get0_alpn_selected(engine->ssl, &name, &count);
    return (ctls_bytes){name, count};
}

bool ctls_engine_is_resumed(const ctls_engine *engine) { return SSL_session_reused(engine->ssl) == 1; }

const char *ctls_engine_server_name(const ctls_engine *engine) {
    return SSL_get_servername(engine->ssl, TLSEXT_NAMETYPE_host_name);
}

ctls_certificate *ctls_engine_peer_certificate(const ctls_engine *engine) {
    return (ctls_certificate *)SSL_get1_peer_certificate(engine->ssl);
}
