/* SPDX-License-Identifier: MIT */
/*
 * Certificate and key of the listeners: TLS 1.2 and newer, HTTP/2 by ALPN, sessions resumed by
 * tickets whose keys change, the certificate read again when its files change.
 */
#ifndef PGS_HTTP_TLS_H
#define PGS_HTTP_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>

struct pgs_tls;

/* NULL: `why` says what is wrong.  The paths must outlive it.  `http2`: offer it. */
struct pgs_tls *pgs_tls_open(const char *cert_file, const char *key_file, bool http2,
                             char why[256]);

/* Reads the files again if they changed; what cannot be used changes nothing but the log.  For one
 * thread. */
void pgs_tls_refresh(struct pgs_tls *tls);

/* What new connections are to use, held until the next call or SSL_CTX_free(); `held` is what the
 * caller got before, or NULL. */
SSL_CTX *pgs_tls_context(struct pgs_tls *tls, SSL_CTX *held);

#endif
