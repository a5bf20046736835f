/* SPDX-License-Identifier: MIT */
/*
 * Origins.  A browser sends exactly scheme://host[:port], in lower case and without a default port.
 * The server compares whole strings, and the end of one for a leading `*.`: everything else would
 * never match, or match too much.
 */
#include "check/checker.h"

#include <ctype.h>
#include <string.h>

#include "served/served.h"

static const char form[] = "write scheme://host[:port], such as 'https://app.example.com'";
static const char star_form[] =
    "name each site, or all below a domain of your own: 'https://*.example.com'";

struct span
check_part_span(const struct ast_string *ast, struct url_part part)
{
    struct span span = ast->span;

    /* Escapes move what is inside; then the whole string is shown. */
    if (!part.at || span.end - span.start != strlen(ast->text) + 2)
        return span;
    span.start += 1 + (size_t)(part.at - ast->text);
    span.end = span.start + part.len;
    return span;
}

static struct diag *
report(struct span span, enum diag_code code, const char *origin, const char *why, const char *hint)
{
    struct diag *diag = diag_at(span, code, "origin '%s': %s", origin, why);

    diag_hint(diag, "%s", hint);
    return diag;
}

/* The same in lower case, without a slash at its end and default port, by https unless local. */
static void
fix_origin(struct diag *diag, struct span span, const struct url *url)
{
    bool https = url_part_is(url->scheme, "https") || !url_is_loopback(url->host);
    char *host = arena_copy(url->host.at, url->host.len);
    struct url_part lower = {host, url->host.len};
    const char *port = url->port.at ? arena_printf(":%.*s", (int)url->port.len, url->port.at) : "";
    const char *usual = url_part_is(url->scheme, "https") ? ":443" : ":80";

    for (char *p = host; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    if (url->user.at || url->query.at || url->fragment.at || url->path.len > 1 ||
        url_host_fault(lower))
        return;
    diag_fix(diag, span, "'%s://%s%s'", https ? "https" : "http", host,
             strcmp(port, usual) == 0 ? "" : port);
}

/* What is wrong with all but the scheme; NULL: nothing. */
static const char *
shape_fault(const struct url *url)
{
    const char *fault;

    if (url->user.at || url->query.at || url->fragment.at)
        return "an origin is scheme, host and port alone";
    if (url->path.at)
        return "an origin has no path and no slash at its end";
    fault = url_host_fault(url->host);
    return fault ? fault : url_port_fault(url);
}

static size_t
count_stars(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += *text == '*';
    return n;
}

/* `*.` and two labels or more. */
static bool
is_leading_star(struct url_part host)
{
    return host.len > 2 && host.at[0] == '*' && host.at[1] == '.' &&
           memchr(host.at + 2, '.', host.len - 2) != NULL;
}

/* An origin with a `*`; false: reported. */
static bool
check_star(const struct ast_string *ast, const struct url *url)
{
    const char *origin = ast->text, *suffix;
    struct url_part host = url->host;
    struct span span = check_part_span(ast, host);
    struct diag *diag;

    if (count_stars(origin) == 1 && is_leading_star(host)) {
        suffix = url_shared_suffix(host);
        if (!suffix)
            return true;
        diag = diag_at(span, PGS4114_SHARED_SUFFIX, "origin '%s': anyone can have a site below %s",
                       origin, suffix);
        diag_hint(diag, "name your own sites there, one by one: 'https://my-app.%s'", suffix);
        return false;
    }
    if (count_stars(origin) == 1 && host.len > 1 && host.at[0] == '*' && host.at[1] != '.')
        diag =
            diag_at(span, PGS4014_CORS_TOO_WIDE, "origin '%s' also matches %.*s://evil%.*s", origin,
                    (int)url->scheme.len, url->scheme.at, (int)host.len - 1, host.at + 1);
    else
        diag = diag_at(url->port.at && memchr(url->port.at, '*', url->port.len)
                           ? check_part_span(ast, url->port)
                           : ast->span,
                       PGS4014_CORS_TOO_WIDE, "origin '%s': %s", origin,
                       url->port.at && memchr(url->port.at, '*', url->port.len)
                           ? "a `*` cannot stand for the port: each is another program"
                           : "it would match sites of others");
    diag_hint(diag, "%s; one leading `*.`, never a pattern", star_form);
    return false;
}

/* Whose host it is. */
void
check_owner_of_host(const struct ast_string *ast, const struct url *url, const char *what)
{
    struct span span = check_part_span(ast, url->host);
    struct diag *diag;

    if (url_shared_host(url->host)) {
        diag =
            diag_at(span, PGS4303_SHARED_HOST,
                    "%s '%s': strangers have pages and files on this host, too", what, ast->text);
        diag_hint(diag, "serve yours from a host of your own: 'https://app.example.com'");
    } else if (url_lent_suffix(url->host)) {
        diag = diag_at(span, PGS4304_PASSING_HOST,
                       "%s '%s': names below %s are lent, and go to the next who asks", what,
                       ast->text, url_lent_suffix(url->host));
        diag_hint(diag, "leave it out of what is released; use a host of your own");
    }
}

static void
check_host(const struct ast_string *ast, const struct url *url)
{
    struct span span = check_part_span(ast, url->host);

    if (url_part_is(url->scheme, "http") && !url_is_loopback(url->host))
        fix_origin(report(ast->span, PGS4015_CORS_INSECURE, ast->text,
                          "anyone on the way can change a page that came over http",
                          "write https://; http is for localhost alone"),
                   ast->span, url);
    else if (url_is_private(url->host))
        report(span, PGS4116_PRIVATE_ORIGIN, ast->text,
               "in another network this address is somebody else's",
               "name the site by its public host");
    else
        check_owner_of_host(ast, url, "origin");
}

/* NULL: none of these. */
static const char *
several_fault(const char *origin)
{
    return strpbrk(origin, ", \t") && strstr(origin, "://")
               ? "each origin is a string of its own, without spaces"
               : NULL;
}

static void
check_origin(const struct ast_string *ast)
{
    const char *origin = ast->text, *fault;
    struct url url;
    bool known = url_split(origin, &url) &&
                 (url_part_is(url.scheme, "https") || url_part_is(url.scheme, "http"));

    if (strcmp(origin, "null") == 0)
        report(ast->span, PGS4014_CORS_TOO_WIDE, origin,
               "every sandboxed page and local file has this origin", form);
    else if (strcmp(origin, "*") == 0)
        report(ast->span, PGS4014_CORS_TOO_WIDE, origin,
               "every site there is could read what its visitors may", star_form);
    else if ((fault = several_fault(origin)))
        report(ast->span, PGS4013_CORS_ORIGIN, origin, fault,
               "write 'https://a.example.com', 'https://b.example.com'");
    else if (strpbrk(origin, "\\^$()[]|+") && strncmp(origin, "http://[", 8) != 0 &&
             strncmp(origin, "https://[", 9) != 0)
        report(ast->span, PGS4014_CORS_TOO_WIDE, origin, "it is a regular expression", star_form);
    else if (strchr(origin, '*') && (!known || !check_star(ast, &url))) {
        if (!known)
            report(ast->span, PGS4014_CORS_TOO_WIDE, origin, "it would match sites of others",
                   star_form);
    } else if (!known)
        report(ast->span, PGS4013_CORS_ORIGIN, origin, "it is no origin", form);
    else if ((fault = shape_fault(&url)))
        fix_origin(report(ast->span, PGS4013_CORS_ORIGIN, origin, fault, form), ast->span, &url);
    else
        check_host(ast, &url);
}

static void
check_once(const struct ast_strings *origins, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        struct diag *diag;

        if (strcmp(origins->at[j].text, origins->at[i].text) != 0)
            continue;
        diag = diag_at(origins->at[i].span, PGS4115_ADDRESS_TWICE, "'%s' is listed twice",
                       origins->at[i].text);
        diag_note(diag, origins->at[j].span, "it is here already");
        diag_hint(diag, "drop one of the two");
        return;
    }
}

static void
check_one(const struct ast_cors *ast, struct cors *cors)
{
    for (size_t i = 0; i < ast->origins.n; i++) {
        check_origin(&ast->origins.at[i]);
        check_once(&ast->origins, i);
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
