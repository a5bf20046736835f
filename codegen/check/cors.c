/* SPDX-License-Identifier: MIT */
/*
 * Origins.  A browser sends exactly scheme://host[:port], in lower case and without a default port,
 * and the server compares whole strings: everything else would never match, or match too much.
 */
#include "check/checker.h"

#include <ctype.h>
#include <string.h>

static bool
names_local_host(const char *host)
{
    static const char *const hosts[] = {"localhost", "127.0.0.1", "[::1]"};

    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        size_t len = strlen(hosts[i]);

        if (strncmp(host, hosts[i], len) == 0 && (host[len] == '\0' || host[len] == ':'))
            return true;
    }
    return false;
}

/* What is wrong with what follows "scheme://"; NULL: nothing. */
static const char *
host_fault(const char *host, bool https)
{
    size_t len = strcspn(host, ":/?#@");
    const char *port = host + len;

    if (host[0] == '[') {
        len = strcspn(host, "]") + 1;
        port = host + len;
    }
    if (len == 0)
        return "it names no host";
    if (strchr(host, '/'))
        return "an origin has no path and no slash at its end";
    if (strpbrk(host, "?#@ "))
        return "an origin is scheme, host and port alone";
    for (const char *p = host; *p; p++)
        if (isupper((unsigned char)*p))
            return "browsers send the host in lower case";
    if (*port == ':' && (strspn(port + 1, "0123456789") != strlen(port + 1) || !port[1]))
        return "the port is a number";
    if (strcmp(port, https ? ":443" : ":80") == 0)
        return "browsers leave the default port out";
    return NULL;
}

/* An origin in lower case, without path and default port, by https unless it is local. */
static void
fix_origin(struct diag *diag, struct span span, const char *origin)
{
    size_t scheme = strncmp(origin, "https://", 8) == 0 ? 8 : 7;
    char *host = arena_copy(origin + scheme, strcspn(origin + scheme, "/"));
    const char *rest = origin + scheme + strlen(host);
    size_t len = strlen(host);

    for (char *p = host; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    if (!*host || strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-:") != len ||
        strcmp(rest, "/") > 0)
        return;
    if (len > 4 && strcmp(host + len - 4, ":443") == 0 && scheme == 8)
        host[len - 4] = '\0';
    else if (len > 3 && strcmp(host + len - 3, ":80") == 0 && scheme == 7)
        host[len - 3] = '\0';
    diag_fix(diag, span, "'%s://%s'", scheme == 8 || !names_local_host(host) ? "https" : "http",
             host);
}

static struct diag *
report_origin(struct span span, enum diag_code code, const char *origin, const char *why,
              const char *hint)
{
    struct diag *diag = diag_at(span, code, "origin '%s': %s", origin, why);

    diag_hint(diag, "%s", hint);
    return diag;
}

static void
check_origin(const struct ast_string *ast)
{
    static const char form[] = "write scheme://host[:port], such as 'https://app.example.com'";
    const char *origin = ast->text;
    bool https = strncmp(origin, "https://", 8) == 0, http = strncmp(origin, "http://", 7) == 0;
    const char *fault;

    if (strcmp(origin, "null") == 0) {
        report_origin(ast->span, PGS4014_CORS_TOO_WIDE, origin,
                      "every sandboxed page and local file has this origin", form);
    } else if (strchr(origin, '*')) {
        report_origin(ast->span, PGS4014_CORS_TOO_WIDE, origin, "it would match more than one site",
                      "name each site: 'https://app.example.com', 'https://www.example.com'");
    } else if (!https && !http) {
        report_origin(ast->span, PGS4013_CORS_ORIGIN, origin, "it is no origin", form);
    } else if ((fault = host_fault(origin + (https ? 8 : 7), https))) {
        fix_origin(report_origin(ast->span, PGS4013_CORS_ORIGIN, origin, fault, form), ast->span,
                   origin);
    } else if (http && !names_local_host(origin + 7)) {
        fix_origin(report_origin(ast->span, PGS4015_CORS_INSECURE, origin,
                                 "anyone on the way can change a page that came over http",
                                 "write https://; http is for localhost alone"),
                   ast->span, origin);
    }
}

static void
check_one(const struct ast_cors *ast, struct cors *cors)
{
    for (size_t i = 0; i < ast->origins.n; i++) {
        check_origin(&ast->origins.at[i]);
        vec_push(&cors->origins, ast->origins.at[i].text);
    }
    if (ast->origins.n == 0) {
        struct diag *diag = diag_at(ast->name.span, PGS4013_CORS_ORIGIN,
                                    "cors \"%s\" names no origin", ast->name.text);
        diag_hint(diag, "add `origins 'https://app.example.com';`");
    }
    cors->max_age_s = (int)ast->max_age_s;
    cors->credentials = ast->credentials;
}

void
check_cors(struct checker *checker)
{
    for (size_t i = 0; i < checker->ast->cors.n; i++) {
        const struct ast_cors *ast = checker->ast->cors.at[i];
        struct cors *cors = check_cors_named(checker->model, ast->name.text);

        if (check_same_place(cors->span, ast->name.span))
            check_one(ast, cors);
    }
}
