/* SPDX-License-Identifier: MIT */
/* The keys of session tickets grow old by a clock that we set: hours pass between two handshakes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/tls.h"

enum {
    KEY_NAME_BYTES = 16,
    MINUTE = 60
};

static char folder[] = "/tmp/pgs_tls_XXXXXX", cert_file[64], key_file[64];
static struct pgs_tls *tls;
static int64_t now_us;

static int64_t
test_clock_us(void)
{
    return now_us;
}

static void
pass_minutes(int64_t n)
{
    now_us += n * MINUTE * 1000000;
}

static FILE *
create(char path[64], const char *name)
{
    FILE *file;

    snprintf(path, 64, "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    return file;
}

/* A certificate that signs itself, and its key. */
static void
write_files(void)
{
    FILE *cert_to = create(cert_file, "cert"), *key_to = create(key_file, "key");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();

    assert_true(key != NULL && cert != NULL);
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_X509(cert_to, cert), 1);
    assert_int_equal(PEM_write_PrivateKey(key_to, key, NULL, NULL, 0, NULL, NULL), 1);
    X509_free(cert);
    EVP_PKEY_free(key);
    (void)fclose(cert_to);
    (void)fclose(key_to);
}

static int
open_all(void **state)
{
    static const struct pgs_clock clock = {test_clock_us, NULL};
    char why[256];

    (void)state;
    assert_non_null(mkdtemp(folder));
    write_files();
    pgs_clock_replace(&clock);
    pass_minutes(1);
    tls = pgs_tls_open(cert_file, key_file, true, why);
    return tls != NULL ? 0 : -1;
}

static int
close_all(void **state)
{
    (void)state;
    pgs_clock_replace(NULL);
    (void)unlink(cert_file);
    (void)unlink(key_file);
    return rmdir(folder);
}

/* Both ends, with what they say to each other in memory. */
static void
shake_hands(SSL *client, SSL *server)
{
    BIO *near, *far;
    char byte = 'x';

    assert_int_equal(BIO_new_bio_pair(&near, 0, &far, 0), 1);
    SSL_set_bio(client, near, near);
    SSL_set_bio(server, far, far);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    for (int i = 0; i < 10; i++) {
        (void)SSL_do_handshake(client);
        (void)SSL_do_handshake(server);
    }
    assert_true(SSL_is_init_finished(client) && SSL_is_init_finished(server));
    assert_int_equal(SSL_write(server, &byte, 1), 1);
    assert_int_equal(SSL_read(client, &byte, 1), 1); /* tickets come before it */
}

/* The session as its client has it then, for SSL_SESSION_free(); NULL: `with` is not resumed. */
static SSL_SESSION *
resume(int version, SSL_SESSION *with)
{
    SSL_CTX *ours = pgs_tls_context(tls, NULL), *theirs = SSL_CTX_new(TLS_client_method());
    SSL *client = SSL_new(theirs), *server = SSL_new(ours);
    SSL_SESSION *session = NULL;

    assert_int_equal(SSL_set_max_proto_version(client, version), 1);
    assert_true(with == NULL || SSL_set_session(client, with) == 1);
    shake_hands(client, server);
    (void)SSL_shutdown(client); /* or its session would count as broken */
    if (with == NULL || SSL_session_reused(client))
        session = SSL_get1_session(client);
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(theirs);
    SSL_CTX_free(ours);
    return session;
}

static bool
has_same_key(const SSL_SESSION *a, const SSL_SESSION *b)
{
    const unsigned char *names[2];
    size_t lens[2];

    SSL_SESSION_get0_ticket(a, &names[0], &lens[0]);
    SSL_SESSION_get0_ticket(b, &names[1], &lens[1]);
    assert_true(lens[0] > KEY_NAME_BYTES && lens[1] > KEY_NAME_BYTES);
    return memcmp(names[0], names[1], KEY_NAME_BYTES) == 0;
}

static void
check_keys_of(int version)
{
    SSL_SESSION *first, *same, *fresh, *later;

    pass_minutes(48 * 60);
    first = resume(version, NULL);
    pass_minutes(6 * 60 - 1);
    same = resume(version, first);
    assert_true(same != NULL && has_same_key(first, same));
    pass_minutes(2);
    fresh = resume(version, first);
    assert_true(fresh != NULL && !has_same_key(first, fresh)); /* taken, and made anew */
    pass_minutes(6 * 60 + 1);
    assert_null(resume(version, first)); /* two keys ago */
    later = resume(version, fresh);
    assert_true(later != NULL && !has_same_key(fresh, later));
    pass_minutes(13 * 60);
    assert_null(resume(version, later)); /* the key before, but nobody came meanwhile */
    SSL_SESSION_free(first);
    SSL_SESSION_free(same);
    SSL_SESSION_free(fresh);
    SSL_SESSION_free(later);
}

static void
test_ticket_keys_grow_old(void **state)
{
    (void)state;
    check_keys_of(TLS1_3_VERSION);
    check_keys_of(TLS1_2_VERSION);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ticket_keys_grow_old)};

    return cmocka_run_group_tests(tests, open_all, close_all);
}
