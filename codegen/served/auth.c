/* SPDX-License-Identifier: MIT */
/*
 * auth { }: where people are sent with their tokens.  A redirect that matches too much hands them
 * to whoever owns what it matches.
 */
#include "check/checker.h"

#include <string.h>

#include "served/served.h"
#include "served/url.h"
#include "model/served.h"

static const char *const option_names[] = {"site", "redirects", "anonymous_sign_in"};

static const char redirect_form[] =
    "write scheme://host/path, such as 'https://app.example.com/callback'";
static const char star_hint[] =
    "name the host; a `*` may stand for one whole label below a domain of your own, or behind the "
    "last `/` of the path";

static struct diag *
report(struct span span, enum diag_code code, const char *what, const char *text, const char *why,
       const char *hint)
{
    struct diag *diag = diag_at(span, code, "%s '%s': %s", what, text, why);

    diag_hint(diag, "%s", hint);
    return diag;
}

/* `http://` of a string becomes `https://`. */
static void
fix_scheme(struct diag *diag, struct span span)
{
    const char *text = span.file ? span.file->text + span.start : "";

    if (strncmp(text, "'http://", 8) == 0)
        diag_fix(diag, (struct span){span.file, span.start + 1, span.start + 5}, "https");
}

/* ---- one address ---- */

/* Programs do not agree where such an address leads; NULL: it has none of it. */
static const char *
unreadable_part(const char *text, const struct url *url)
{
    for (const char *p = text; *p; p++) {
        if (*p == '\\')
            return "browsers read a backslash as a slash, others do not";
        if ((unsigned char)*p <= ' ' || *p == 0x7f)
            return "no space or control character can stand in an address";
    }
    if (url->user.at)
        return "what stands before `@` is no host: a reader takes it for one";
    if (url->fragment.at)
        return "tokens are put behind `#`: an address of its own cannot have one";
    if (url->path.at && (strstr(text, "/../") || strstr(text, "/./")))
        return "`..` in the path leads to another one";
    return NULL;
}

static bool
is_web(const struct url *url)
{
    return url_part_is(url->scheme, "https") || url_part_is(url->scheme, "http");
}

/* Schemes that run what stands behind them, or read files. */
static bool
is_dangerous(const struct url *url)
{
    static const char *const schemes[] = {"javascript", "data", "vbscript", "file",  "blob",
                                          "about",      "ws",   "wss",      "ftp",   "view-source",
                                          "filesystem", "jar",  "intent",   "mailto"};

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (url_part_is(url->scheme, schemes[i]))
            return true;
    return false;
}

static bool
has_star(struct url_part part)
{
    return part.at && memchr(part.at, '*', part.len);
}

/* ---- wildcards ---- */

/* A `*` among the last two labels, or `**`: whoever buys a domain has such a host. */
static bool
is_host_too_wide(struct url_part host)
{
    size_t dots = 0;

    for (size_t i = host.len; i-- > 0;) {
        dots += host.at[i] == '.';
        if (host.at[i] == '*' && (dots < 2 || (i > 0 && host.at[i - 1] == '*')))
            return true;
    }
    return false;
}

/* A `*` that is part of a label which is not the first. */
static bool
is_inner_label_cut(struct url_part host)
{
    for (size_t i = 0; i < host.len; i++) {
        bool first = memchr(host.at, '.', i) == NULL;

        if (host.at[i] == '*' && !first &&
            (host.at[i - 1] != '.' || (i + 1 < host.len && host.at[i + 1] != '.')))
            return true;
    }
    return false;
}

/* A `*` before the last `/`. */
static bool
is_inside_path(struct url_part path)
{
    for (size_t i = 0; i < path.len; i++)
        if (path.at[i] == '*' && memchr(path.at + i, '/', path.len - i))
            return true;
    return false;
}

static bool
check_host_star(const struct ast_string *ast, const struct url *url)
{
    struct span span = check_part_span(ast, url->host);
    const char *suffix = url_shared_suffix(url->host);

    if (!has_star(url->host))
        return true;
    if (!is_web(url)) {
        report(span, PGS4108_REDIRECT_WILDCARD, "redirect", ast->text,
               "what follows the scheme of a program has a name",
               "write it: 'com.example.app://callback'");
        return false;
    }
    if (suffix) {
        struct diag *diag =
            diag_at(span, PGS4114_SHARED_SUFFIX, "redirect '%s': anyone can have a site below %s",
                    ast->text, suffix);
        diag_hint(diag,
                  "name your own site there: 'https://my-app.%s'; a domain of your own may "
                  "have a wildcard",
                  suffix);
        return false;
    }
    if (is_host_too_wide(url->host)) {
        struct diag *diag =
            diag_at(span, PGS4107_REDIRECT_TOO_WIDE,
                    "redirect '%s' matches hosts that anyone can register", ast->text);
        diag_hint(diag, "%s", star_hint);
        return false;
    }
    if (is_inner_label_cut(url->host)) {
        report(span, PGS4108_REDIRECT_WILDCARD, "redirect", ast->text,
               "inside a name, a `*` stands for one whole label", star_hint);
        return false;
    }
    return true;
}

/* Where a `*` stands that is not in the host; false: reported. */
static bool
check_other_stars(const struct ast_string *ast, const struct url *url)
{
    const struct {
        struct url_part part;
        bool bad;
        const char *why;
    } parts[] = {
        {url->scheme, has_star(url->scheme), "a `*` cannot stand for the scheme"},
        {url->port, has_star(url->port),
         "a `*` cannot stand for the port: each is another program"},
        {url->path, is_inside_path(url->path),
         "a `*` inside the path also matches pages that "
         "pass on what they get"},
        {url->query, has_star(url->query), "a `*` cannot stand in the query"},
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (parts[i].bad) {
            report(check_part_span(ast, parts[i].part), PGS4108_REDIRECT_WILDCARD, "redirect",
                   ast->text, parts[i].why, star_hint);
            return false;
        }
    return true;
}

static bool
check_stars(const struct ast_string *ast, const struct url *url)
{
    /* The port is cut off at the second colon, the scheme at the first. */
    return check_host_star(ast, url) && check_other_stars(ast, url);
}

/* ---- site and redirects ---- */

/* What is wrong with the host and port of a web address. */
static const char *
web_fault(const struct url *url)
{
    const char *fault = url_host_fault(url->host);

    return fault ? fault : url_port_fault(url);
}

static void
check_web(const struct ast_string *ast, const struct url *url, const char *what)
{
    const char *fault = web_fault(url);

    if (fault)
        report(ast->span, PGS4106_REDIRECT_FORM, what, ast->text, fault, redirect_form);
    else if (url_part_is(url->scheme, "http") && !url_is_loopback(url->host))
        fix_scheme(report(ast->span, PGS4109_REDIRECT_INSECURE, what, ast->text,
                          "a token sent over http can be read on its way",
                          "write https://; http is for localhost alone"),
                   ast->span);
    else if (url_is_private(url->host))
        report(check_part_span(ast, url->host), PGS4116_PRIVATE_ORIGIN, what, ast->text,
               "in another network this address is somebody else's",
               "name the site by its public host");
    else if (url_lent_suffix(url->host) || (has_star(url->path) && url_shared_host(url->host)))
        check_owner_of_host(ast, url, what);
}

/* RFC 8252, 7.1: any program on the device may claim a scheme; one with a dot is a domain's. */
static void
check_scheme(const struct ast_string *ast, const struct url *url)
{
    struct diag *diag;

    if (memchr(url->scheme.at, '.', url->scheme.len))
        return;
    diag = diag_at(check_part_span(ast, url->scheme), PGS4305_SCHEME_OF_ANYONE,
                   "redirect '%s': any program on the device may claim \"%.*s\", and gets the "
                   "tokens",
                   ast->text, (int)url->scheme.len, url->scheme.at);
    diag_hint(diag, "take a domain of yours, turned round: 'com.example.app://callback'; better, a "
                    "link that opens the app: 'https://app.example.com/callback'");
}

static void
check_redirect(const struct ast_string *ast)
{
    const char *text = ast->text, *fault;
    struct url url;
    bool known = url_split(text, &url);

    if (text[strspn(text, "*")] == '\0' || (!known && strchr(text, '*'))) {
        struct diag *diag = diag_at(ast->span, PGS4107_REDIRECT_TOO_WIDE,
                                    "redirect '%s' matches every address", text);
        diag_hint(diag, "%s", star_hint);
    } else if (!known)
        report(ast->span, PGS4106_REDIRECT_FORM, "redirect", text, "it has no scheme",
               redirect_form);
    else if (is_dangerous(&url))
        report(check_part_span(ast, url.scheme), PGS4110_REDIRECT_SCHEME, "redirect", text,
               "what follows this scheme is run or read, not visited", redirect_form);
    else if ((fault = unreadable_part(text, &url)))
        report(ast->span, PGS4106_REDIRECT_FORM, "redirect", text, fault, redirect_form);
    else if (check_stars(ast, &url)) {
        if (is_web(&url))
            check_web(ast, &url, "redirect");
        else
            check_scheme(ast, &url);
    }
}

static void
check_site(const struct ast_string *ast)
{
    struct url url;
    const char *fault;

    if (!url_split(ast->text, &url) || !is_web(&url))
        report(ast->span, PGS4104_SITE_FORM, "site", ast->text, "it is no address of a page",
               "write it whole: 'https://app.example.com'");
    else if (strchr(ast->text, '*'))
        report(ast->span, PGS4104_SITE_FORM, "site", ast->text,
               "one address, the one that is used where none was asked for",
               "patterns belong into `redirects`");
    else if ((fault = unreadable_part(ast->text, &url)) ||
             (fault = url.query.at ? "links are made from it: it has no query" : NULL))
        report(ast->span, PGS4104_SITE_FORM, "site", ast->text, fault,
               "write it whole: 'https://app.example.com'");
    else
        check_web(ast, &url, "site");
}

/* ---- the block ---- */

static void
check_twice(const struct ast_strings *values, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        struct diag *diag;

        if (strcmp(values->at[j].text, values->at[i].text) != 0)
            continue;
        diag = diag_at(values->at[i].span, PGS4115_ADDRESS_TWICE, "'%s' is listed twice",
                       values->at[i].text);
        diag_note(diag, values->at[j].span, "it is here already");
        diag_hint(diag, "drop one of the two");
        return;
    }
}

static bool
is_local(const struct ast_string *ast)
{
    struct url url;

    return url_split(ast->text, &url) && is_web(&url) && url_is_loopback(url.host);
}

/* With a public site, a program on the reader's own machine could take the tokens. */
static void
check_local(const struct ast_string *redirect, const struct ast_string *site)
{
    struct diag *diag;

    if (!site || is_local(site) || !is_local(redirect) || strstr(redirect->text, ":*"))
        return;
    diag = diag_at(redirect->span, PGS4113_REDIRECT_LOCAL,
                   "redirect '%s' holds in production, too: any program on the user's machine can "
                   "listen there",
                   redirect->text);
    diag_note(diag, site->span, "the site is public");
    diag_hint(diag, "leave it out: a server in development admits localhost by itself");
}

static void
report_value(const struct ast_option *option, const char *want)
{
    struct diag *diag =
        diag_at(option->span, PGS4102_AUTH_VALUE, "\"%s\" takes %s", option->name.text, want);

    diag_hint(diag, "write `%s %s;`", option->name.text,
              strcmp(option->name.text, "anonymous_sign_in") == 0 ? "on"
              : strcmp(option->name.text, "site") == 0            ? "'https://app.example.com'"
                                                       : "'https://app.example.com/callback'");
}

static void
read_switch(const struct ast_option *option, struct auth *auth)
{
    bool on = option->word.text && strcmp(option->word.text, "on") == 0;

    if (!option->word.text || (!on && strcmp(option->word.text, "off") != 0))
        report_value(option, "`on` or `off`");
    auth->anonymous_sign_in = on;
    auth->anonymous_span = option->span;
}

static void
read_option(const struct ast_option *option, struct auth *auth, const struct ast_string **site)
{
    const char *name = option->name.text;

    if (strcmp(name, "anonymous_sign_in") == 0) {
        read_switch(option, auth);
    } else if (strcmp(name, "site") == 0) {
        if (option->values.n != 1) {
            report_value(option, "one address");
            return;
        }
        *site = &option->values.at[0];
        auth->site = (*site)->text;
        check_site(*site);
    } else if (strcmp(name, "redirects") == 0) {
        if (option->values.n == 0)
            report_value(option, "addresses");
        for (size_t i = 0; i < option->values.n; i++) {
            check_redirect(&option->values.at[i]);
            check_twice(&option->values, i);
            vec_push(&auth->redirects, option->values.at[i].text);
        }
    } else {
        struct diag *diag =
            diag_at(option->name.span, PGS4101_AUTH_OPTION, "auth has no option \"%s\"", name);

        check_suggest(diag, name, option_names, sizeof(option_names) / sizeof(option_names[0]));
    }
}

static bool
is_repeated(const struct ast_auth *ast, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (strcmp(ast->options.at[j].name.text, ast->options.at[i].name.text) == 0) {
            struct diag *diag =
                diag_at(ast->options.at[i].name.span, PGS0023_SAID_TWICE,
                        "\"%s\" is here for the second time", ast->options.at[i].name.text);
            diag_note(diag, ast->options.at[j].span, "it is here already");
            return true;
        }
    return false;
}

static struct auth *
read_auth(const struct ast_auth *ast)
{
    struct auth *auth = arena_alloc(sizeof(*auth));
    const struct ast_string *site = NULL;
    const struct ast_option *redirects = NULL;
    bool has_site = false;

    auth->span = ast->word;
    for (size_t i = 0; i < ast->options.n; i++) {
        if (is_repeated(ast, i))
            continue;
        read_option(&ast->options.at[i], auth, &site);
        has_site |= strcmp(ast->options.at[i].name.text, "site") == 0;
        if (strcmp(ast->options.at[i].name.text, "redirects") == 0)
            redirects = &ast->options.at[i];
    }
    for (size_t i = 0; redirects && i < redirects->values.n; i++)
        check_local(&redirects->values.at[i], site);
    if (redirects && !has_site) {
        struct diag *diag = diag_at(redirects->name.span, PGS4103_SITE_MISSING,
                                    "there are redirects, but no site to go to when none fits");
        diag_hint(diag, "add `site 'https://app.example.com';`");
    }
    return auth;
}

void
check_auth(struct checker *checker)
{
    const struct ast *ast = checker->ast;

    if (ast->auths.n == 0)
        return;
    checker->model->auth = read_auth(ast->auths.at[0]);
    for (size_t i = 1; i < ast->auths.n; i++) {
        struct diag *diag =
            diag_at(ast->auths.at[i]->word, PGS4100_AUTH_TWICE, "auth is declared twice");

        diag_note(diag, ast->auths.at[0]->word, "first declared here");
        diag_hint(diag, "put all of it into one block");
    }
}
