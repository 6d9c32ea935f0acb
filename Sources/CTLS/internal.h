// What the files of CTLS share.
#ifndef CTLS_INTERNAL_H
#define CTLS_INTERNAL_H

#if defined(__has_include)
#if !__has_include(<openssl/ssl.h>)
#error "AsyncUVTLS needs OpenSSL 3 with its headers: apt-get install libssl-dev"
#endif
#endif

#include "CTLS.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>

#if OPENSSL_VERSION_NUMBER < 0x30000000L
#error "AsyncUVTLS needs OpenSSL 3"
#endif

struct ctls_identity {
    X509 *certificate;
    STACK_OF(X509) *chain;
    EVP_PKEY *key;
};

enum { SESSIONS = 64 };

struct ctls_context {
    SSL_CTX *ssl;
    bool is_server;
    enum ctls_peer peer;
    uint8_t *protocols;
    size_t protocol_count;
    struct ctls_identity *identities;
    size_t identity_count;
    // A client's sessions, newest last. The lock is theirs.
    pthread_mutex_t lock;
    struct session {
        char *key;
        SSL_SESSION *session;
    } *sessions;
    size_t session_count;
};

struct ctls_engine {
    SSL *ssl;
    ctls_context *context;
    // What SSL has not read yet: lent, or our own.
    const uint8_t *input;
    size_t input_count;
    uint8_t *own_input;
    size_t own_room;
    // What is to be sent: output[output_start ..< output_end].
    uint8_t *output;
    size_t output_start, output_end, output_room;
    char *session_key;
    struct failure *failure;
    bool is_starved;
    bool is_closed;
    // What the peer has said last.
    bool has_alert;
    uint8_t alert;
};

struct failure {
    enum ctls_failure_kind kind;
    int number;
    X509 *certificate;
    char text[160];
};

/// Prepares OpenSSL, once.
void ctls_prepare(void);
/// Says what OpenSSL's queue of errors has last, and empties it.
void ctls_explain(ctls_problem *problem, const char *what);
/// For what reads PEM: gives the passphrase that is its context, or refuses. Without it OpenSSL asks on the terminal, and waits.
int ctls_passphrase(char *buffer, int size, int writing, void *context);
BIO_METHOD *ctls_bio_method(void);
/// Keeps a client's session, newest last.
void ctls_keep_session(ctls_context *context, const char *key, SSL_SESSION *session);
SSL_SESSION *ctls_find_session(ctls_context *context, const char *key);

#endif
