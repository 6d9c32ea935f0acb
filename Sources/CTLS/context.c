#include "internal.h"

#include <string.h>

// MARK: Callbacks

/// A server takes the first of its own protocols that the client has, too.
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_count, const unsigned char *in,
                           unsigned in_count, void *argument) {
    (void)ssl;
    const ctls_context *context = argument;
    int status = SSL_select_next_proto((unsigned char **)out, out_count, context->protocols,
                                       (unsigned)context->protocol_count, in, in_count);
    return status == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// A server with several identities takes those that are for the name that the client asks for, else its first. OpenSSL has room for one of
/// each kind of key, and takes the one that the client knows best.
static int choose_identity(SSL *ssl, void *argument) {
    const ctls_context *context = argument;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    // The context's own, whose key may be of another kind, would stay beside the one that is chosen.
    SSL_certs_clear(ssl);
    bool has_one = false;
    for (size_t i = 0; name != NULL && i < context->identity_count; i++) {
        const struct ctls_identity *identity = &context->identities[i];
        if (!ctls_certificate_is_for((ctls_certificate *)identity->certificate, name)) continue;
        // Not in place of an earlier one.
        if (SSL_use_cert_and_key(ssl, identity->certificate, identity->key, identity->chain, 0) == 1) has_one = true;
        else ERR_clear_error();
    }
    if (has_one) return 1;
    const struct ctls_identity *first = &context->identities[0];
    return SSL_use_cert_and_key(ssl, first->certificate, first->key, first->chain, 1);
}

static void note_alert(const SSL *ssl, int where, int value) {
    if (where != SSL_CB_READ_ALERT) return;
    ctls_engine *engine = SSL_get_app_data(ssl);
    engine->has_alert = true;
    engine->alert = (uint8_t)value;
}

static int keep_session(SSL *ssl, SSL_SESSION *session) {
    const ctls_engine *engine = SSL_get_app_data(ssl);
    if (engine->session_key == NULL || !SSL_SESSION_is_resumable(session)) return 0;
    ctls_keep_session(engine->context, engine->session_key, session);
    return 1;
}

// MARK: A client's sessions

static void drop(struct session *session) {
    free(session->key);
    SSL_SESSION_free(session->session);
}

/// With the lock.
static void remove_session(ctls_context *context, size_t index) {
    drop(&context->sessions[index]);
    context->session_count--;
    memmove(&context->sessions[index], &context->sessions[index + 1],
            (context->session_count - index) * sizeof *context->sessions);
}

static long find(const ctls_context *context, const char *key) {
    for (size_t i = 0; i < context->session_count; i++)
        if (strcmp(context->sessions[i].key, key) == 0) return (long)i;
    return -1;
}

void ctls_keep_session(ctls_context *context, const char *key, SSL_SESSION *session) {
    char *copy = strdup(key);
    pthread_mutex_lock(&context->lock);
    if (context->sessions == NULL) context->sessions = calloc(SESSIONS, sizeof *context->sessions);
    if (copy == NULL || context->sessions == NULL) abort();
    long index = find(context, key);
    if (index >= 0) remove_session(context, (size_t)index);
    else if (context->session_count == SESSIONS) remove_session(context, 0);
    context->sessions[context->session_count++] = (struct session){copy, session};
    pthread_mutex_unlock(&context->lock);
}

SSL_SESSION *ctls_find_session(ctls_context *context, const char *key) {
    pthread_mutex_lock(&context->lock);
    long index = find(context, key);
    SSL_SESSION *session = index >= 0 ? context->sessions[index].session : NULL;
    if (session != NULL) SSL_SESSION_up_ref(session);
    pthread_mutex_unlock(&context->lock);
    return session;
}

// MARK: Making

static bool trust(SSL_CTX *ssl, const ctls_options *options, ctls_problem *problem) {
    X509_STORE *store = SSL_CTX_get_cert_store(ssl);
    if (options->trusts_system && SSL_CTX_set_default_verify_paths(ssl) != 1) {
        ctls_explain(problem, "the system's authorities cannot be read");
        return false;
    }
    if (options->trusted.count == 0) return true;
    BIO *bio = BIO_new_mem_buf(options->trusted.bytes, (int)options->trusted.count);
    X509 *certificate;
    int count = 0;
    while ((certificate = PEM_read_bio_X509_AUX(bio, NULL, ctls_passphrase, NULL)) != NULL) {
        if (X509_STORE_add_cert(store, certificate) == 1) count++;
        // Clients are told whom we trust, so that they choose the right one of their certificates.
        if (options->is_server) SSL_CTX_add_client_CA(ssl, certificate);
        X509_free(certificate);
    }
    BIO_free(bio);
    if (count == 0) ctls_explain(problem, "there is no certificate in the PEM text of the trusted authorities");
    ERR_clear_error();
    return count > 0;
}

static bool set_up(ctls_context *context, const ctls_options *options, ctls_problem *problem) {
    SSL_CTX *ssl = context->ssl;
    SSL_CTX_set_min_proto_version(ssl, options->oldest_version == 3 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(ssl, options->newest_version == 2 ? TLS1_2_VERSION : TLS1_3_VERSION);
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_info_callback(ssl, note_alert);
    // Whom the user trusts is trusted, whether or not somebody else has signed it.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ssl), X509_V_FLAG_PARTIAL_CHAIN);
    if (!trust(ssl, options, problem)) return false;
    int verify = options->peer == CTLS_PEER_IGNORED    ? SSL_VERIFY_NONE
                 : options->peer == CTLS_PEER_REQUIRED ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                                                       : SSL_VERIFY_PEER;
    SSL_CTX_set_verify(ssl, verify, NULL);
    for (size_t i = 0; i < options->identity_count; i++) {
        const ctls_identity *given = options->identities[i];
        context->identities[i] = *given;
        X509_up_ref(given->certificate);
        EVP_PKEY_up_ref(given->key);
        context->identities[i].chain = X509_chain_up_ref(given->chain);
        context->identity_count++;
    }
    if (context->identity_count > 0) {
        const struct ctls_identity *first = &context->identities[0];
        if (SSL_CTX_use_cert_and_key(ssl, first->certificate, first->key, first->chain, 1) != 1) {
            ctls_explain(problem, "the certificate cannot be used");
            return false;
        }
    }
    if (options->is_server) {
        static const unsigned char sessions[] = "swift-uv";
        // Without it no session with a client's certificate is resumed.
        SSL_CTX_set_session_id_context(ssl, sessions, sizeof sessions - 1);
        // Sessions are in the tickets that clients keep.
        SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
        if (context->identity_count > 1) SSL_CTX_set_cert_cb(ssl, choose_identity, context);
        if (context->protocol_count > 0) SSL_CTX_set_alpn_select_cb(ssl, choose_protocol, context);
    } else {
        SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ssl, keep_session);
        // 0 is success.
        if (context->protocol_count > 0
            && SSL_CTX_set_alpn_protos(ssl, context->protocols, (unsigned)context->protocol_count) != 0) {
            ctls_explain(problem, "the application protocols are wrong");
            return false;
        }
    }
    return true;
}

ctls_context *ctls_context_new(const ctls_options *options, ctls_problem *problem) {
    ctls_prepare();
    ERR_clear_error();
    ctls_context *context = calloc(1, sizeof *context);
    if (context == NULL) abort();
    pthread_mutex_init(&context->lock, NULL);
    context->is_server = options->is_server;
    context->peer = options->peer;
    context->identities = calloc(options->identity_count + 1, sizeof *context->identities);
    context->protocols = malloc(options->protocols.count + 1);
    if (context->identities == NULL || context->protocols == NULL) abort();
    if (options->protocols.count > 0) memcpy(context->protocols, options->protocols.bytes, options->protocols.count);
    context->protocol_count = options->protocols.count;
    context->ssl = SSL_CTX_new(options->is_server ? TLS_server_method() : TLS_client_method());
    if (context->ssl == NULL) ctls_explain(problem, "OpenSSL cannot make a context");
    if (context->ssl != NULL && set_up(context, options, problem)) return context;
    ctls_context_free(context);
    return NULL;
}

void ctls_context_free(ctls_context *context) {
    for (size_t i = 0; i < context->session_count; i++) drop(&context->sessions[i]);
    free(context->sessions);
    for (size_t i = 0; i < context->identity_count; i++) {
        X509_free(context->identities[i].certificate);
        EVP_PKEY_free(context->identities[i].key);
        sk_X509_pop_free(context->identities[i].chain, X509_free);
    }
    free(context->identities);
    free(context->protocols);
    SSL_CTX_free(context->ssl);
    pthread_mutex_destroy(&context->lock);
    free(context);
}
