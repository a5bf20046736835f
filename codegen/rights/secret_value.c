/* SPDX-License-Identifier: MIT */
#include "rights/secret.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

typedef void report_function(struct span, const char *);

static bool
is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static struct span
part_of(const struct source *file, const char *start, size_t len)
{
    struct span span = {.file = file, .start = (size_t)(start - file->text)};

    span.end = span.start + len;
    return span;
}

/* What stands for a value that comes from elsewhere. */
static bool
is_placeholder(const char *value)
{
    return strchr("$%{<:*?", *value) != NULL || strncmp(value, "...", 3) == 0 ||
           strncasecmp(value, "your", 4) == 0 || strncmp(value, "xxx", 3) == 0;
}

/* The text has one of the words between its line's beginning and `at`. */
static bool
line_has_before(const struct source *file, const char *at, const char *const *words, size_t n)
{
    const char *line = at;

    while (line > file->text && line[-1] != '\n')
        line--;
    for (; line < at; line++)
        for (size_t i = 0; i < n; i++)
            if (strncasecmp(line, words[i], strlen(words[i])) == 0)
                return true;
    return false;
}

/* ---- "apikey": "..."; 'apikey', '...' ---- */

static void
check_pair(const struct source *file, const char *word, report_function *report)
{
    size_t len = strlen(word);

    for (const char *p = file->text; *p; p++) {
        const char *at = p + len;
        char quote = p > file->text ? p[-1] : '\0';
        size_t n;

        if (strncasecmp(p, word, len) != 0 || (quote != '"' && quote != '\'') || *at != quote)
            continue;
        at++;
        at += strspn(at, " \t");
        if (*at != (quote == '"' ? ':' : ','))
            continue;
        at++;
        at += strspn(at, " \t");
        n = *at == quote ? strcspn(at + 1, "'\"\n") : 0;
        if (n >= 8 && !is_placeholder(at + 1) && strncasecmp(at + 1, "bearer ", 7) != 0)
            report(part_of(file, at, n + 2), "an API key");
    }
}

/* ---- set app.jwt_secret = '...' ---- */

static void
check_setting(const struct source *file, const char *word, report_function *report)
{
    static const char *const set[] = {"set "};
    size_t len = strlen(word);

    for (const char *p = file->text; *p; p++) {
        const char *at = p + len;
        size_t n;

        if (strncasecmp(p, word, len) != 0 || is_word(*at))
            continue;
        at += *at == '"';
        at += strspn(at, " \t");
        if (*at != '=' && strncasecmp(at, "to ", 3) != 0)
            continue;
        at += *at == '=' ? 1 : 3;
        at += strspn(at, " \t");
        n = *at == '\'' ? strcspn(at + 1, "'\n") : 0;
        if (n >= 8 && !is_placeholder(at + 1) && line_has_before(file, p, set, 1))
            report(part_of(file, at, n + 2), "a key");
    }
}

/* ---- host=... password=... ---- */

static void
check_conninfo(const struct source *file, report_function *report)
{
    static const char word[] = "password=";
    static const char *const others[] = {"host=", "user=", "dbname=", "hostaddr="};

    for (const char *p = strstr(file->text, word); p; p = strstr(p + 1, word)) {
        const char *value = p + sizeof(word) - 1;
        size_t n = strcspn(value, " \t\n'\";&");

        if (n >= 3 && !is_placeholder(value) && strncmp(value, "pass", 4) != 0 &&
            line_has_before(file, p, others, sizeof(others) / sizeof(others[0])))
            report(part_of(file, value, n), "a password");
    }
}

/* ---- pgp_sym_encrypt(x, '...') ---- */

/* The string that is the argument `wanted`; NULL: it is none. */
static const char *
string_argument(const char *at, int wanted)
{
    int depth = 1, argument = 0;

    for (; *at && depth > 0; at++) {
        if (argument == wanted && depth == 1 && !isspace((unsigned char)*at))
            return *at == '\'' ? at : NULL;
        if (*at == '\'')
            at += 1 + strcspn(at + 1, "'\n");
        if (!*at)
            break;
        depth += *at == '(' ? 1 : *at == ')' ? -1 : 0;
        argument += *at == ',' && depth == 1;
    }
    return NULL;
}

static void
check_cipher(const struct source *file, const char *name, report_function *report)
{
    size_t len = strlen(name);

    for (const char *p = file->text; *p; p++) {
        const char *key;

        if (strncasecmp(p, name, len) != 0 || (p > file->text && is_word(p[-1])) || p[len] != '(')
            continue;
        key = string_argument(p + len + 1, 1);
        if (key && strcspn(key + 1, "'\n") >= 4)
            report(part_of(file, key, strcspn(key + 1, "'\n") + 2), "the key of a cipher");
    }
}

void
check_secret_values(const struct source *file, report_function *report)
{
    static const char *const pairs[] = {"apikey", "api_key", "api-key", "x-api-key",
                                        "authorization"};
    static const char *const settings[] = {"secret", "secret_key", "service_role_key",
                                           "service_key", "api_key"};
    static const char *const ciphers[] = {"pgp_sym_encrypt", "pgp_sym_decrypt", "encrypt",
                                          "decrypt", "hmac"};

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        check_pair(file, pairs[i], report);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        check_setting(file, settings[i], report);
    check_conninfo(file, report);
    for (size_t i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++)
        check_cipher(file, ciphers[i], report);
}

/* ---- defaults ---- */

static bool
ends_in(const char *name, const char *word)
{
    size_t len = strlen(name), n = strlen(word);

    return len >= n && strcmp(name + len - n, word) == 0 && (len == n || name[len - n - 1] == '_');
}

static bool
is_secret_name(const char *name)
{
    static const char *const words[] = {"password", "passwd",  "password_hash", "secret",
                                        "api_key",  "apikey",  "private_key",   "token",
                                        "pin",      "passcode"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (ends_in(name, words[i]))
            return true;
    return false;
}

static void
check_default(const struct column *column)
{
    const struct expr *value = column->default_expr;
    struct diag *diag;

    while (value && value->kind == EXPR_CAST)
        value = value->args.at[0];
    if (!value || value->kind != EXPR_LITERAL || !value->value || !*value->value ||
        type_is_bool(column->type) || !is_secret_name(column->name))
        return;
    /* A key of a known shape is told as such. */
    if (strncmp(value->value, "eyJ", 3) == 0 || strchr(value->value, '-') == value->value ||
        strncmp(value->value, "sk", 2) == 0 || strncmp(value->value, "AKIA", 4) == 0)
        return;
    diag = diag_at(value->span, PGS4300_SECRET_DEFAULT,
                   "each row of \"%s\" begins with the same %s, which everybody can read here",
                   column->table->name, column->name);
    diag_hint(diag, "leave the default out: then who inserts a row says its own");
}

void
check_secret_defaults(const struct model *model)
{
    for (size_t i = 0; i < model->tables.n; i++)
        for (size_t j = 0; j < model->tables.at[i]->columns.n; j++)
            if (!model->tables.at[i]->is_view && !model->tables.at[i]->builtin)
                check_default(model->tables.at[i]->columns.at[j]);
}
