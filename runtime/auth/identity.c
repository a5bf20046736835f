/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "auth/authn.h"

static char *
copy_text(char *to, struct pgs_text from, struct pgs_text *copy)
{
    copy->at = from.at != NULL ? to : NULL;
    copy->len = from.len;
    if (from.len > 0)
        memcpy(to, from.at, from.len);
    return to + from.len;
}

void *
pgs_identity_copy(const struct pgs_identity *who, struct pgs_identity *copy)
{
    size_t size = (who->n_session + 1) * sizeof(struct pgs_text) + who->key.len;
    struct pgs_text *texts;
    char *at;

    for (size_t i = 0; i < who->n_session; i++)
        size += who->session[i].len;
    texts = malloc(size);
    if (texts == NULL)
        return NULL;
    *copy = *who;
    copy->session = texts;
    at = copy_text((char *)(texts + who->n_session + 1), who->key, &copy->key);
    for (size_t i = 0; i < who->n_session; i++)
        at = copy_text(at, who->session[i], &texts[i]);
    return texts;
}
