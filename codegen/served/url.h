/* SPDX-License-Identifier: MIT */
/* Addresses in the sources, taken apart; what their hosts are. */
#ifndef CHECK_URL_H
#define CHECK_URL_H

#include <stdbool.h>
#include <stddef.h>

struct url_part {
    const char *at; /* into the text; NULL: not there */
    size_t len;
};

struct url {
    struct url_part scheme; /* without "://" or ":" */
    struct url_part user;   /* before `@` */
    struct url_part host;   /* "[::1]" with its brackets */
    struct url_part port;   /* behind `:` */
    struct url_part path;   /* from its `/` */
    struct url_part query;  /* behind `?` */
    struct url_part fragment;
};

/* Splits at the marks alone, as a browser does; false: there is no scheme. */
bool url_split(const char *text, struct url *url);

bool url_part_is(struct url_part part, const char *text);

/* localhost, 127.x.x.x and [::1]. */
bool url_is_loopback(struct url_part host);

/* An address of a network that anyone can have: 10.x, 192.168.x, 169.254.x, [fe80::...]. */
bool url_is_private(struct url_part host);

/* What is wrong with a host as browsers send it, `*` apart; NULL: nothing. */
const char *url_host_fault(struct url_part host);

/* What is wrong with a port; NULL: nothing, or there is none. */
const char *url_port_fault(const struct url *url);

/*
 * The suffix under which strangers are given names: "vercel.app" of `*.vercel.app`, "co.uk".  NULL:
 * none is known, or the host has labels of its own before the wildcard.
 */
const char *url_shared_suffix(struct url_part host);

/* A host where strangers have pages or files, by its path: "s3.amazonaws.com"; NULL: none. */
const char *url_shared_host(struct url_part host);

/* "ngrok.io" of a tunnel's name, which is somebody else's tomorrow; NULL: none. */
const char *url_lent_suffix(struct url_part host);

#endif
