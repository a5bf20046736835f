/* SPDX-License-Identifier: MIT */
/*
 * libpq proves a password (SCRAM) by 4,096 rounds of HMAC, and OpenSSL 3 looks in each of them,
 * twice, for who provides SHA-256, under locks that all threads share: ten times the work of the
 * rounds. So hmac.c stands before OpenSSL's HMAC_Init_ex(), as http/h2_guard.c does before
 * functions of libh2o, and names the provider that it has looked up once.  Where the linker binds
 * libpq to OpenSSL's own, a login takes longer; that is all.
 */
#ifndef PGS_DB_HMAC_H
#define PGS_DB_HMAC_H

/* Looks it up, once a process. */
void pgs__hmac_open(void);

#endif
