/* SPDX-License-Identifier: MIT */
#include "codec/forwarded.h"

#include <string.h>

static struct pgs_text
trim(struct pgs_text text)
{
    while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\t')) {
        text.at++;
        text.len--;
    }
    while (text.len > 0 && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* ":443", or nothing: some proxies add the port. */
static bool
is_port(const char *at, size_t len)
{
    if (len == 0)
        return true;
    if (at[0] != ':' || len < 2 || len > 6)
        return false;
    for (size_t i = 1; i < len; i++)
        if (at[i] < '0' || at[i] > '9')
            return false;
    return true;
}

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80" */
static bool
read_entry(struct pgs_text entry, struct pgs_address *address)
{
    const char *colon = memchr(entry.at, ':', entry.len), *bracket;
    size_t len = entry.len;

    if (entry.at[0] == '[') {
        bracket = memchr(entry.at, ']', entry.len);
        if (bracket == NULL)
            return false;
        len = (size_t)(bracket - entry.at);
        return is_port(bracket + 1, entry.len - len - 1) && memchr(entry.at, ':', len) != NULL &&
               pgs_address_read(entry.at + 1, len - 1, address);
    }
    if (colon != NULL && memchr(entry.at, '.', (size_t)(colon - entry.at)) != NULL)
        len = (size_t)(colon - entry.at);
    return is_port(entry.at + len, entry.len - len) && pgs_address_read(entry.at, len, address);
}

/* Takes the last entry off `*list`; one may be empty. */
static struct pgs_text
take_last(struct pgs_text *list)
{
    size_t from = list->len, end = list->len;

    while (from > 0 && list->at[from - 1] != ',')
        from--;
    list->len = from > 0 ? from - 1 : 0;
    return trim((struct pgs_text){list->at + from, end - from});
}

struct pgs_address
pgs_forwarded_client(struct pgs_address peer, const struct pgs_networks *trusted,
                     const struct pgs_text *values, size_t n)
{
    struct pgs_address client = peer;

    for (size_t i = n; i-- > 0;) {
        struct pgs_text list = values[i];

        while (list.len > 0) {
            struct pgs_text entry;

            if (!pgs_networks_hold(trusted, &client))
                return client;
            entry = take_last(&list);
            if (entry.len > 0 && !read_entry(entry, &client))
                return peer;
        }
    }
    return client;
}
