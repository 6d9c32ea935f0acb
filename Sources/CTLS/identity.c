#define _GNU_SOURCE
#include "internal.h"

#include <arpa/inet.h>
#include <string.h>

void ctls_prepare(void) {
    // Loops and threads of the program may still use OpenSSL while the process exits.
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    extern void ctls_prepare_once(void);
    pthread_once(&once, ctls_prepare_once);
}

void ctls_prepare_once(void) { OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL); }

void ctls_explain(ctls_problem *problem, const char *what) {
    unsigned long error = ERR_peek_last_error();
    const char *reason = error != 0 ? ERR_reason_error_string(error) : NULL;
    snprintf(problem->text, sizeof problem->text, "%s%s%s", what, reason != NULL ? ": " : "", reason != NULL ? reason : "");
    ERR_clear_error();
}

static BIO *bio_of(ctls_bytes text) { return BIO_new_mem_buf(text.bytes, (int)text.count); }

int ctls_passphrase(char *buffer, int size, int writing, void *context) {
    (void)writing;
    const char *text = context;
    if (text == NULL) return -1;
    size_t count = strlen(text);
    if (count > (size_t)size) return -1;
    memcpy(buffer, text, count);
    return (int)count;
}

/// Reads certificates up to the end of the text. NULL for wrong ones; the stack may be empty.
static STACK_OF(X509) *read_certificates(ctls_bytes pem, const char *phrase) {
    STACK_OF(X509) *all = sk_X509_new_null();
    BIO *bio = bio_of(pem);
    X509 *certificate;
    while (bio != NULL && all != NULL
           && (certificate = PEM_read_bio_X509_AUX(bio, NULL, ctls_passphrase, (void *)phrase)) != NULL)
        sk_X509_push(all, certificate);
    BIO_free(bio);
    unsigned long error = ERR_peek_last_error();
    if (all != NULL && (error == 0 || ERR_GET_REASON(error) == PEM_R_NO_START_LINE)) {
        ERR_clear_error();
        return all;
    }
    sk_X509_pop_free(all, X509_free);
    return NULL;
}

int ctls_count_certificates(ctls_bytes pem, ctls_problem *problem) {
    ctls_prepare();
    STACK_OF(X509) *all = read_certificates(pem, NULL);
    if (all == NULL) {
        ctls_explain(problem, "a certificate cannot be read");
        return -1;
    }
    int count = sk_X509_num(all);
    sk_X509_pop_free(all, X509_free);
    return count;
}

ctls_identity *ctls_identity_new(ctls_bytes chain, ctls_bytes key, const char *phrase, ctls_problem *problem) {
    ctls_prepare();
    ctls_identity *identity = calloc(1, sizeof *identity);
    if (identity == NULL) abort();
    ERR_clear_error();
    identity->chain = read_certificates(chain, phrase);
    if (identity->chain == NULL) {
        ctls_explain(problem, "the certificate cannot be read");
        goto failed;
    }
    identity->certificate = sk_X509_shift(identity->chain);
    if (identity->certificate == NULL) {
        ctls_explain(problem, "there is no certificate in the PEM text of the certificate chain");
        goto failed;
    }
    BIO *bio = bio_of(key);
    identity->key = PEM_read_bio_PrivateKey(bio, NULL, ctls_passphrase, (void *)phrase);
    BIO_free(bio);
    if (identity->key == NULL) {
        int reason = ERR_GET_REASON(ERR_peek_last_error());
        bool is_encrypted = memmem(key.bytes, key.count, "ENCRYPTED", 9) != NULL;
        if (is_encrypted && phrase == NULL) {
            ERR_clear_error();
            ctls_explain(problem, "the private key is encrypted, and there is no passphrase");
        } else if (is_encrypted) {
            ERR_clear_error();
            ctls_explain(problem, "the private key cannot be decrypted: wrong passphrase?");
        } else if (reason == PEM_R_NO_START_LINE || memmem(key.bytes, key.count, "PRIVATE KEY", 11) == NULL) {
            ERR_clear_error();
            ctls_explain(problem, "there is no private key in the PEM text of the private key");
        } else {
            ctls_explain(problem, "the private key cannot be read");
        }
        goto failed;
    }
    if (X509_check_private_key(identity->certificate, identity->key) != 1) {
        ERR_clear_error();
        ctls_explain(problem, "the private key is not that of the certificate");
        goto failed;
    }
    ERR_clear_error();
    return identity;
failed:
    ctls_identity_free(identity);
    return NULL;
}

void ctls_identity_free(ctls_identity *identity) {
    X509_free(identity->certificate);
    sk_X509_pop_free(identity->chain, X509_free);
    EVP_PKEY_free(identity->key);
    free(identity);
}

static ctls_certificate *share(X509 *certificate) {
    if (certificate != NULL) X509_up_ref(certificate);
    return (ctls_certificate *)certificate;
}

ctls_certificate *ctls_identity_certificate(const ctls_identity *identity) { return share(identity->certificate); }

// MARK: Certificates

static X509 *x509(const ctls_certificate *certificate) { return (X509 *)certificate; }

void ctls_certificate_free(ctls_certificate *certificate) { X509_free(x509(certificate)); }

static size_t copy(char *buffer, size_t size, const char *text, size_t count) {
    if (count < size) {
        memcpy(buffer, text, count);
        buffer[count] = 0;
    }
    return count;
}

size_t ctls_certificate_name(const ctls_certificate *certificate, int which, char *buffer, size_t size) {
    X509_NAME *name = which == 0 ? X509_get_subject_name(x509(certificate)) : X509_get_issuer_name(x509(certificate));
    BIO *bio = BIO_new(BIO_s_mem());
    X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB & ~XN_FLAG_SPC_EQ);
    char *text;
    long count = BIO_get_mem_data(bio, &text);
    size_t whole = copy(buffer, size, text, count < 0 ? 0 : (size_t)count);
    BIO_free(bio);
    return whole;
}

long ctls_certificate_alternative(const ctls_certificate *certificate, int index, char *buffer, size_t size) {
    GENERAL_NAMES *names = X509_get_ext_d2i(x509(certificate), NID_subject_alt_name, NULL, NULL);
    long whole = -1;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS && name->type != GEN_IPADD) continue;
        if (index-- > 0) continue;
        const unsigned char *data = ASN1_STRING_get0_data(name->d.ia5);
        int count = ASN1_STRING_length(name->d.ia5);
        char address[INET6_ADDRSTRLEN] = "";
        if (name->type == GEN_DNS) {
            whole = (long)copy(buffer, size, (const char *)data, (size_t)count);
        } else {
            if (count == 4) inet_ntop(AF_INET, data, address, sizeof address);
            if (count == 16) inet_ntop(AF_INET6, data, address, sizeof address);
            whole = (long)copy(buffer, size, address, strlen(address));
        }
        break;
    }
    GENERAL_NAMES_free(names);
    return whole;
}

static bool seconds(const ASN1_TIME *time, int64_t *result) {
    int days, rest;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    bool is_right = epoch != NULL && time != NULL && ASN1_TIME_diff(&days, &rest, epoch, time) == 1;
    if (is_right) *result = (int64_t)days * 86400 + rest;
    ASN1_TIME_free(epoch);
    return is_right;
}

bool ctls_certificate_times(const ctls_certificate *certificate, int64_t *first, int64_t *last) {
    return seconds(X509_get0_notBefore(x509(certificate)), first) && seconds(X509_get0_notAfter(x509(certificate)), last);
}

size_t ctls_certificate_der(const ctls_certificate *certificate, uint8_t *buffer, size_t size) {
    int count = i2d_X509(x509(certificate), NULL);
    if (count < 0) return 0;
    if ((size_t)count <= size) i2d_X509(x509(certificate), &buffer);
    return (size_t)count;
}

bool ctls_is_address(const char *name) {
    unsigned char address[16];
    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

bool ctls_certificate_is_for(const ctls_certificate *certificate, const char *name) {
    int status = ctls_is_address(name) ? X509_check_ip_asc(x509(certificate), name, 0)
                                       : X509_check_host(x509(certificate), name, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL);
    ERR_clear_error();
    return status == 1;
}

const char *ctls_check_text(int number) { return X509_verify_cert_error_string(number); }

const char *ctls_alert_text(int number) { return SSL_alert_desc_string_long(number); }

const char *ctls_library_version(void) { return OpenSSL_version(OPENSSL_VERSION); }

void ctls_leave_error(void) { ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH); }
