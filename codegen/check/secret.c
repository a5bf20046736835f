/* SPDX-License-Identifier: MIT */
/*
 * Keys and tokens in the sources, by their shape: comments, defaults and raw SQL alike.  They would
 * go into the repository, its history and every dump.
 */
#include "check/checker.h"

#include "syntax/ast_served.h"

#include <ctype.h>
#include <string.h>

static const struct {
    const char *start;
    size_t least; /* of the characters after it */
    const char *what;
} shapes[] = {
    {"sk_live_", 8, "a payment key"},   {"whsec_", 8, "a webhook key"},
    {"ghp_", 20, "an access token"},    {"AKIA", 16, "an access key"},
    {"xoxb-", 10, "an access token"},   {"eyJ", 40, "a JSON web token"},
    {"-----BEGIN", 10, "a key in PEM"},
};

static bool
is_token_character(char c)
{
    return isalnum((unsigned char)c) || strchr("_-.+/=", c) != NULL;
}

static size_t
token_length(const char *text)
{
    size_t n = 0;

    while (text[n] && (is_token_character(text[n]) || (n > 0 && text[n] == ' ' && n < 30)))
        n++;
    return n;
}

/* It stands where a webhook wants `env NAME`: told there. */
static bool
is_told(const struct ast *ast, struct span span)
{
    for (size_t i = 0; i < ast->webhooks.n; i++) {
        const struct ast_secret *secrets[] = {&ast->webhooks.at[i]->to, &ast->webhooks.at[i]->key};

        for (size_t j = 0; j < 2; j++)
            if (secrets[j]->text.text && secrets[j]->span.file == span.file &&
                secrets[j]->span.start <= span.start && span.start < secrets[j]->span.end)
                return true;
    }
    return false;
}

static void
check_shape(const struct ast *ast, const struct source *file, size_t shape)
{
    const char *start = shapes[shape].start;
    size_t len = strlen(start);

    for (const char *p = strstr(file->text, start); p; p = strstr(p + len, start)) {
        size_t n = token_length(p + len);
        bool inside = p > file->text && is_token_character(p[-1]);
        struct span span = {.file = file, .start = (size_t)(p - file->text)};
        struct diag *diag;

        if (n < shapes[shape].least || inside || is_told(ast, span))
            continue;
        span.end = span.start + len;
        diag = diag_at(span, PGS4020_SECRET_IN_TEXT, "this looks like %s", shapes[shape].what);
        diag_hint(diag, "keep it in the environment; change it, it is known now");
    }
}

void
check_secrets(struct checker *checker)
{
    for (size_t i = 0; i < checker->ast->files.n; i++)
        for (size_t j = 0; j < sizeof(shapes) / sizeof(shapes[0]); j++)
            check_shape(checker->ast, checker->ast->files.at[i], j);
}
