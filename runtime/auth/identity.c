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

/* Among the session's values; -1: apart. */
static int
find_claims(const struct pgs_identity *who)
{
    for (size_t i = 0; i < who->n_session; i++)
        if (who->session[i].at == who->claims.at && who->session[i].len == who->claims.len)
            return (int)i; /* an empty one may begin where others do */
    return -1;
}

void *
pgs_identity_copy(const struct pgs_identity *who, struct pgs_identity *copy)
{
    size_t size = (who->n_session + 1) * sizeof(struct pgs_text) + who->key.len;
    int claims = find_claims(who);
    struct pgs_text *texts;
    char *at;

    size += claims < 0 ? who->claims.len : 0;
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
    if (claims >= 0)
        copy->claims = texts[claims];
    else
        (void)copy_text(at, who->claims, &copy->claims);
    return texts;
}
