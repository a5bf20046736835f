/* SPDX-License-Identifier: MIT */
#ifndef FINGERPRINT_H
#define FINGERPRINT_H

/*
 * SHA-256, in hex, of SQL without the lines that are comments: the places that they name move
 * without anything being different.
 */
const char *fingerprint_sql(const char *sql);

#endif
