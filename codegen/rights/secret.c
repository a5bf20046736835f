/* SPDX-License-Identifier: MIT */
/*
 * Keys and tokens in the sources, by their shape: comments, defaults and raw SQL alike.  They would
 * go into the repository, its history and every dump.
 */
#include "check/checker.h"

#include "rights/secret.h"
#include "syntax/ast_served.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *start;
    size_t least; /* of the characters after it */
    const char *what;
} shapes[] = {
    {"sk_live_", 8, "a payment key"},
    {"rk_live_", 8, "a payment key"},
    {"whsec_", 8, "a webhook key"},
    {"ghp_", 20, "an access token"},
    {"gho_", 20, "an access token"},
    {"ghs_", 20, "an access token"},
    {"github_pat_", 20, "an access token"},
    {"glpat-", 16, "an access token"},
    {"npm_", 30, "an access token"},
    {"xoxb-", 10, "an access token"},
    {"xoxp-", 10, "an access token"},
    {"shpat_", 20, "an access token"},
    {"sbp_", 20, "an access token"},
    {"sb_secret_", 10, "a service key"},
    {"sk-proj-", 20, "an API key"},
    {"sk-ant-", 20, "an API key"},
    {"AIza", 30, "an API key"},
    {"SG.", 40, "a mail key"},
    {"AKIA", 16, "an access key"},
    {"ASIA", 16, "an access key"},
    {"eyJ", 40, "a JSON web token"},
    {"-----BEGIN ", 0, "a key in PEM"},
    {"sk_test_", 16, "a payment key"},
    {"GOCSPX-", 20, "a client secret"},
    {"hf_", 30, "an access token"},
    {"gsk_", 40, "an API key"},
    {"dop_v1_", 40, "an access token"},
    {"pscale_pw_", 20, "a password"},
    {"dckr_pat_", 20, "an access token"},
    {"pypi-AgE", 20, "an access token"},
    {"shpss_", 20, "a client secret"},
    {"xapp-", 20, "an access token"},
    {"lin_api_", 20, "an API key"},
    {"AGE-SECRET-KEY-1", 20, "a private key"},
    {"Bearer ", 20, "an access token"},
    {"AccountKey=", 40, "an access key"},
    {"https://hooks.slack.com/services/", 10, "a secret address"},
    {"https://discord.com/api/webhooks/", 10, "a secret address"},
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

    while (text[n] && is_token_character(text[n]))
        n++;
    return n;
}

/* -----BEGIN RSA PRIVATE KEY-----: no certificate, and no public key. */
static bool
is_private_pem(const char *text)
{
    size_t line = strcspn(text, "\n'\"");
    const char *key = strstr(text, "PRIVATE KEY-----");

    return key && (size_t)(key - text) < line;
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
report(struct span span, const char *what)
{
    struct diag *diag = diag_at(span, PGS4020_SECRET_IN_TEXT, "this looks like %s", what);

    diag_hint(diag, "keep it in the environment; change it, it is known now");
}

/* `Bearer eyJ...`: the token is told by its own shape. */
static bool
has_shape(const char *text)
{
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        size_t len = strlen(shapes[i].start);

        if (strncmp(text, shapes[i].start, len) == 0 && shapes[i].least > 0 &&
            token_length(text + len) >= shapes[i].least)
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

        if (n < shapes[shape].least || inside || is_told(ast, span) || has_shape(p + len) ||
            (shapes[shape].least == 0 && !is_private_pem(p)))
            continue;
        span.end = span.start + len + n;
        report(span, shapes[shape].what);
    }
}

/* postgres://user:password@host; an example of how to write one says `password`, or localhost. */
static void
check_connection(const struct ast *ast, const struct source *file, const char *scheme)
{
    size_t len = strlen(scheme);

    for (const char *p = strstr(file->text, scheme); p; p = strstr(p + len, scheme)) {
        size_t user = strcspn(p + len, ":@/ \t\n'\"$");
        const char *password = p + len + user + 1;
        size_t n = p[len + user] == ':' ? strcspn(password, "@/ \t\n'\"$") : 0;
        struct span span = {.file = file, .start = (size_t)(password - file->text)};

        span.end = span.start + n;
        if (n > 2 && password[n] == '@' && !is_told(ast, span) &&
            strncmp(password, "pass", 4) != 0 && strncmp(password + n, "@localhost", 10) != 0 &&
            strncmp(password + n, "@127.0.0.1", 10) != 0)
            report(span, "a password");
    }
}

/* alter role x password 'p'; options (user 'u', password 'p'). */
static void
check_passwords(const struct source *file)
{
    static const char word[] = "password";
    size_t len = sizeof(word) - 1;

    for (const char *p = file->text; *p; p++) {
        const char *quote = p + len;
        struct span span = {.file = file};

        if (strncasecmp(p, word, len) != 0 || (p > file->text && is_token_character(p[-1])))
            continue;
        quote += strspn(quote, " \t");
        if (quote == p + len || *quote != '\'' || strcspn(quote + 1, "'\n") < 3)
            continue;
        span.start = (size_t)(quote - file->text);
        span.end = span.start + strcspn(quote + 1, "'\n") + 2;
        report(span, "a password");
    }
}

static void
check_file(const struct ast *ast, const struct source *file)
{
    static const char *const schemes[] = {
        "postgres://", "postgresql://", "mysql://", "mongodb://", "mongodb+srv://",
        "redis://",    "rediss://",     "amqp://",  "amqps://",   "smtp://",
        "smtps://",    "https://",      "http://",  "ftp://",     "sftp://"};

    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        check_shape(ast, file, i);
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        check_connection(ast, file, schemes[i]);
    check_passwords(file);
    check_secret_values(file, report);
}

void
check_secrets(struct checker *checker)
{
    for (size_t i = 0; i < checker->ast->files.n; i++)
        check_file(checker->ast, checker->ast->files.at[i]);
    check_secret_defaults(checker->model);
}
