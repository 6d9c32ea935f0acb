// What AsyncUVTLS needs of OpenSSL 3, without its headers: Swift sees nothing of OpenSSL.
#ifndef CTLS_H
#define CTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// A certificate with those between it and its authority, and its private key. Immutable; any thread.
typedef struct ctls_identity ctls_identity;

/// What connections of one kind share: SSL_CTX. Immutable; any thread.
typedef struct ctls_context ctls_context;

/// One side of one connection: SSL, over memory. One thread at a time.
typedef struct ctls_engine ctls_engine;

/// X509. Immutable; any thread.
typedef struct ctls_certificate ctls_certificate;

/// A text that says what is wrong. Empty for nothing.
typedef struct ctls_problem {
    char text[256];
} ctls_problem;

enum ctls_status {
    CTLS_OK,
    /// Nothing, until more input comes.
    CTLS_STARVED,
    /// The peer has sent its close_notify.
    CTLS_CLOSED,
    /// For good: see ctls_engine_failure.
    CTLS_FAILED,
};

enum ctls_failure_kind {
    CTLS_FAILURE_OTHER,
    /// The peer has sent an alert; the number is the alert's.
    CTLS_FAILURE_ALERT,
    /// The peer's certificate does not pass; the number is X509_V_ERR_….
    CTLS_FAILURE_CERTIFICATE,
    /// The peer has no certificate.
    CTLS_FAILURE_NO_CERTIFICATE,
};

enum ctls_peer {
    /// The peer needs no certificate, and one that it has is not looked at.
    CTLS_PEER_IGNORED,
    /// The peer is asked for a certificate, which must pass if there is one.
    CTLS_PEER_OPTIONAL,
    CTLS_PEER_REQUIRED,
};

typedef struct ctls_bytes {
    const uint8_t *bytes;
    size_t count;
} ctls_bytes;

typedef struct ctls_options {
    bool is_server;
    /// 2 for TLS 1.2, 3 for TLS 1.3.
    int oldest_version, newest_version;
    enum ctls_peer peer;
    bool trusts_system;
    /// Authorities, as PEM.
    ctls_bytes trusted;
    ctls_identity *const *identities;
    size_t identity_count;
    /// As on the wire: each name behind its length.
    ctls_bytes protocols;
} ctls_options;

/// NULL with a problem. The passphrase may be NULL.
ctls_identity *ctls_identity_new(ctls_bytes chain, ctls_bytes key, const char *passphrase, ctls_problem *problem);
void ctls_identity_free(ctls_identity *identity);
/// The identity's own certificate, for the caller to free.
ctls_certificate *ctls_identity_certificate(const ctls_identity *identity);

/// How many certificates PEM text has; -1 with a problem.
int ctls_count_certificates(ctls_bytes pem, ctls_problem *problem);

ctls_context *ctls_context_new(const ctls_options *options, ctls_problem *problem);
/// After the last of its engines.
void ctls_context_free(ctls_context *context);

/// A client checks that the peer's certificate is the name's, and asks for it, if it is not NULL; sessions are kept by the key.
ctls_engine *ctls_engine_new(ctls_context *context, const char *name, const char *session_key, ctls_problem *problem);
void ctls_engine_free(ctls_engine *engine);

/// Lends input, until ctls_engine_keep_input.
void ctls_engine_give(ctls_engine *engine, const uint8_t *bytes, size_t count);
void ctls_engine_keep_input(ctls_engine *engine);
/// At most how many bytes a take may find.
size_t ctls_engine_available(const ctls_engine *engine);
/// Whether a take finds the end, or a failure.
bool ctls_engine_is_over(const ctls_engine *engine);

enum ctls_status ctls_engine_handshake(ctls_engine *engine);
/// Takes what is there. The count is above 0 for CTLS_OK only.
enum ctls_status ctls_engine_take(ctls_engine *engine, uint8_t *bytes, size_t room, size_t *count);
enum ctls_status ctls_engine_seal(ctls_engine *engine, const uint8_t *bytes, size_t count);
/// Seals close_notify.
void ctls_engine_finish(ctls_engine *engine);
/// Asks the peer to change its keys, and changes ours. TLS 1.3.
bool ctls_engine_update_keys(ctls_engine *engine);

ctls_bytes ctls_engine_output(const ctls_engine *engine);
void ctls_engine_sent(ctls_engine *engine, size_t count);

typedef struct ctls_failure {
    enum ctls_failure_kind kind;
    int number;
    const char *text;
} ctls_failure;

ctls_failure ctls_engine_failure(const ctls_engine *engine);
/// The certificate that did not pass, for the caller to free, or NULL.
ctls_certificate *ctls_engine_failed_certificate(const ctls_engine *engine);

/// After the handshake. Texts live as long as the engine.
int ctls_engine_version(const ctls_engine *engine);
const char *ctls_engine_cipher(const ctls_engine *engine);
ctls_bytes ctls_engine_protocol(const ctls_engine *engine);
bool ctls_engine_is_resumed(const ctls_engine *engine);
const char *ctls_engine_server_name(const ctls_engine *engine);
/// For the caller to free; NULL for none.
ctls_certificate *ctls_engine_peer_certificate(const ctls_engine *engine);

void ctls_certificate_free(ctls_certificate *certificate);
/// Subject (0) or issuer (1) as text, into a buffer. Returns the length of the whole text.
size_t ctls_certificate_name(const ctls_certificate *certificate, int which, char *buffer, size_t size);
/// Its n-th name that a server can have: DNS or IP. Returns the length of the whole text, or -1 if there are no more.
long ctls_certificate_alternative(const ctls_certificate *certificate, int index, char *buffer, size_t size);
/// Seconds since 1970.
bool ctls_certificate_times(const ctls_certificate *certificate, int64_t *first, int64_t *last);
/// DER. Returns its length; writes it if the buffer has room.
size_t ctls_certificate_der(const ctls_certificate *certificate, uint8_t *buffer, size_t size);
bool ctls_certificate_is_for(const ctls_certificate *certificate, const char *name);

/// What OpenSSL calls a X509_V_ERR_… and an alert. For ever.
const char *ctls_check_text(int number);
const char *ctls_alert_text(int number);
/// Whether text is the address of a host.
bool ctls_is_address(const char *name);
const char *ctls_library_version(void);

/// Leaves an error in the thread's queue, as another library may. For tests.
void ctls_leave_error(void);

#endif
