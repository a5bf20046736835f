/* SPDX-License-Identifier: MIT */
/* Keys and user tokens for development. */
#ifndef TOKEN_H
#define TOKEN_H

/* A JWT (HS256) of the payload, which is a JSON object. */
const char *token_sign(const char *payload, const char *secret);

/* 48 hexadecimal digits from the system's random source; ends the program when there is none. */
const char *token_random(void);

#endif
