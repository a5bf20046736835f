/* SPDX-License-Identifier: MIT */
/*
 * After a syntax error the rest of its declaration is skipped and the parser starts anew, so that
 * one run shows the errors of all declarations and none that only follows from another.
 */
#include "syntax/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "syntax/ast_make.h"
#include "text/diag.h"
#include "syntax/expected.h"
#include "syntax/grammar.h"

/* Folders in folders: enough for anyone, and an end for links that lead back. */
#define MAX_FOLDERS 16

struct feed {
    struct lexer lexer;
    struct token ahead; /* read already, when `has_ahead` */
    bool has_ahead;
    size_t errors; /* when the declaration began */
    struct context context;
    int braces;           /* open since the declaration began */
    int n_tokens;         /* since then; 0: none has begun */
    int first;            /* kind of the first one */
    struct ast_name name; /* the second one, where that is a name */
};

static struct token
raw_next(struct feed *feed)
{
    if (!feed->has_ahead)
        return lex_next(&feed->lexer);
    feed->has_ahead = false;
    return feed->ahead;
}

/* The kind of a word that means something only before some others. */
static int
kind_before(int kind, int ahead)
{
    switch (kind) {
    case TOKEN_SOFT:
        return ahead == TOKEN_DELETE ? kind : TOKEN_ID;
    case TOKEN_EXCLUDE:
        return ahead == TOKEN_USING || ahead == TOKEN_LP || ahead == TOKEN_CURRENT ||
                       ahead == TOKEN_GROUP || ahead == TOKEN_TIES || ahead == TOKEN_NO
                   ? kind
                   : TOKEN_ID;
    default:
        return ahead == TOKEN_IN || ahead == TOKEN_LIKE || ahead == TOKEN_ILIKE ||
                       ahead == TOKEN_SIMILAR || ahead == TOKEN_BETWEEN
                   ? TOKEN_NOT_LA
                   : kind;
    }
}

/*
 * `not` before in, like and between is a token of its own, as in PostgreSQL: it goes on with an
 * expression, where `not` in `default 1 not null` ends one.  `soft` and `exclude` are names of
 * columns unless what they begin goes on.
 */
static struct token
next(struct feed *feed)
{
    struct token token = raw_next(feed);

    if (token.kind != TOKEN_NOT && token.kind != TOKEN_SOFT && token.kind != TOKEN_EXCLUDE)
        return token;
    feed->ahead = lex_next(&feed->lexer);
    feed->has_ahead = true;
    token.kind = kind_before(token.kind, feed->ahead.kind);
    return token;
}

static bool
at_line_start(const struct token *token)
{
    return token->span.start == 0 || token->span.file->text[token->span.start - 1] == '\n';
}

/* What is left of a declaration that went wrong begins none. */
static struct token
after_end(struct feed *feed)
{
    struct token token = next(feed);

    while (token.kind == TOKEN_RP || token.kind == TOKEN_RC || token.kind == TOKEN_COMMA ||
           token.kind == TOKEN_SEMI)
        token = next(feed);
    return token;
}

/* Others end with a semicolon alone: braces in them are part of what went wrong. */
static bool
may_have_braces(const struct feed *feed)
{
    return feed->n_tokens == 0 || feed->first == TOKEN_ENDPOINT || feed->first == TOKEN_CORS ||
           feed->first == TOKEN_AUTH;
}

/* The first token of the next declaration. */
static struct token
skip(struct feed *feed, struct token token)
{
    int braces = feed->braces;
    bool first = feed->n_tokens == 0, braced = may_have_braces(feed);

    for (; token.kind; token = next(feed), first = false) {
        if (!first && begins_declaration(token.kind) && at_line_start(&token))
            return token;
        if (braced && token.kind == TOKEN_LC)
            braces++;
        else if (braced && token.kind == TOKEN_RC && --braces <= 0)
            return after_end(feed);
        else if (token.kind == TOKEN_SEMI && braces <= 0)
            return after_end(feed);
    }
    return token;
}

static void
report_depth(struct parse *parse)
{
    struct span span = parse->too_deep;

    /* The whole expression may span pages; its beginning is enough. */
    if (span.end > span.start + 40)
        span.end = span.start + 40;
    diag_at(span, PGS0021_TOO_DEEP, "this is nested too deep; %d levels are allowed",
            AST_MAX_DEPTH);
    parse->failed = true;
}

static void
end_declaration(struct feed *feed)
{
    feed->braces = 0;
    feed->n_tokens = 0;
    feed->errors = diag_errors();
    feed->context.long_string.file = NULL;
}

/* After a syntax error: as if the file began with the next declaration. */
static void
start_anew(struct feed *feed, struct parse *parse, void *parser)
{
    syntaxInit(parser);
    end_declaration(feed);
    parse->failed = false;
    parse->too_deep.file = NULL;
}

/* Where the declaration stands after this token. */
static void
count_token(struct feed *feed, struct token token)
{
    feed->braces += (token.kind == TOKEN_LC) - (token.kind == TOKEN_RC);
    feed->context.before = token;
    if (token.kind == TOKEN_STRING &&
        memchr(token.span.file->text + token.span.start, '\n', token.span.end - token.span.start))
        feed->context.long_string = token.span;
    if (feed->n_tokens++ == 0)
        feed->first = token.kind;
    else if (feed->n_tokens == 2)
        feed->name = name_from(token);
    /* It ends with a semicolon outside braces, or with the brace that closes them. */
    if ((token.kind == TOKEN_SEMI || token.kind == TOKEN_RC) && feed->braces == 0)
        end_declaration(feed);
}

/* Notes what the declaration would have declared; `token` is the one that does not fit. */
static void
note_lost(const struct feed *feed, struct ast *ast, struct token token)
{
    switch (feed->n_tokens ? feed->first : TOKEN_TABLE) {
    case TOKEN_PGSTACK:
    case TOKEN_APP:
    case TOKEN_TYPE:
    case TOKEN_DOMAIN:
    case TOKEN_TABLE:
    case TOKEN_FUNCTION:
    case TOKEN_SQL:
    case TOKEN_VIEW:
    case TOKEN_MATERIALIZED:
    case TOKEN_SCHEMA:
    case TOKEN_EXTENSION:
    case TOKEN_ROLE:
    case TOKEN_CLAIM:
    case TOKEN_PREDICATE:
    case TOKEN_CORS:
    case TOKEN_QUERY:
    case TOKEN_DROP:
        vec_push(&ast->lost, feed->n_tokens > 1 ? feed->name : name_from(token));
        break;
    case TOKEN_GRANT:
    case TOKEN_POLICY:
    case TOKEN_ENDPOINT:
        ast->lost_rights = true;
    }
}

/* Gives one token to the parser; false when the parser cannot go on. */
static bool
feed_parser(struct feed *feed, struct parse *parse, void *parser, struct token token)
{
    if (!syntax_accepts(parser, token.kind)) {
        /* What the lexer could not read is the cause, and has been told. */
        if (diag_errors() == feed->errors)
            report_unexpected(parser, token, &feed->context);
        return false;
    }
    parse->token = token;
    syntax(parser, token.kind, token, parse);
    if (parse->too_deep.file)
        report_depth(parse);
    if (parse->failed)
        return false;
    count_token(feed, token);
    return true;
}

static void
parse_tokens(struct parse *parse, const struct source *source)
{
    void *parser = syntaxAlloc(arena_alloc);
    struct feed feed = {.errors = diag_errors()};
    struct token token;

    lex_open(&feed.lexer, source);
    token = next(&feed);
    for (;;) {
        bool ok = feed_parser(&feed, parse, parser, token);

        if (!token.kind)
            return;
        if (ok) {
            token = next(&feed);
            continue;
        }
        note_lost(&feed, parse->ast, token);
        token = skip(&feed, token);
        start_anew(&feed, parse, parser);
    }
}

/* Nobody knows what the file declares. */
static void
lose_file(struct ast *ast, const struct source *source)
{
    struct ast_name name = {source->path, {source, 0, 0}};

    vec_push(&ast->lost, name);
    ast->lost_rights = true;
}

static void
lose_path(struct ast *ast, const char *path, const char *why)
{
    struct span nowhere = {.file = source_from_text(path, "", 0)};

    lose_file(ast, nowhere.file);
    diag_at(nowhere, PGS0001_FILE_UNREADABLE, "cannot be read: %s", why);
}

static bool
check_bytes(const struct source *source)
{
    size_t at = source_bad_byte(source);
    struct span span = {source, at, at + 1};

    if (at == source->len)
        return true;
    if (source->text[at] == '\0')
        diag_at(span, PGS0004_NUL_BYTE, "a NUL byte cannot be part of a schema");
    else
        diag_at(span, PGS0003_NOT_UTF8, "byte 0x%02x is not UTF-8 here",
                (unsigned)(unsigned char)source->text[at]);
    return false;
}

void
parse_source(struct ast *ast, struct source *source)
{
    struct parse parse = {.ast = ast};

    vec_push(&ast->files, source);
    if (check_bytes(source))
        parse_tokens(&parse, source);
    else
        lose_file(ast, source);
}

void
parse_file(struct ast *ast, const char *dir, const char *path)
{
    struct source *source = source_read(dir, path);
    struct span nowhere = {0};

    if (source) {
        parse_source(ast, source_without_returns(source));
        return;
    }
    if (errno != EFBIG) {
        lose_path(ast, path, errno == EINVAL ? "it is no file" : strerror(errno));
        return;
    }
    nowhere.file = source_from_text(path, "", 0);
    lose_file(ast, nowhere.file);
    diag_at(nowhere, PGS0002_FILE_TOO_LARGE, "larger than %zu MiB", SOURCE_MAX_BYTES >> 20);
}

/* ---- a project ---- */

static int
compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
ends_in_schema(const char *name)
{
    static const char suffix[] = ".schema";
    size_t len = strlen(name);

    return len > sizeof(suffix) - 1 && strcmp(name + len - (sizeof(suffix) - 1), suffix) == 0;
}

/* A folder that is being read, and those that it is in. */
struct folder {
    const struct folder *outer;
    const char *path;
    dev_t device;
    ino_t number;
    int depth;
};

/* The way through the project's folders. */
struct search {
    struct ast *ast;
    const char *dir;
    VEC(const char *) found;
};

static void search_folder(struct search *search, struct folder *folder);

/* A link may lead back to a folder that it is in. */
static bool
is_inside(const struct folder *folder, const struct stat *st)
{
    for (; folder; folder = folder->outer)
        if (folder->device == st->st_dev && folder->number == st->st_ino)
            return true;
    return false;
}

/* What cannot be looked at may hold rules: it is an error, unless it is no schema by its name. */
static void
search_entry(struct search *search, const struct folder *outer, const char *path)
{
    struct folder folder = {.outer = outer, .path = path, .depth = outer->depth + 1};
    struct stat st;

    if (stat(arena_printf("%s/%s", search->dir, path), &st) != 0 || !S_ISDIR(st.st_mode)) {
        if (ends_in_schema(path))
            vec_push(&search->found, path);
        return;
    }
    folder.device = st.st_dev;
    folder.number = st.st_ino;
    if (is_inside(outer, &st))
        lose_path(search->ast, path, "it leads back to a folder that it is in");
    else if (folder.depth > MAX_FOLDERS)
        lose_path(search->ast, path, "too many folders in folders");
    else
        search_folder(search, &folder);
}

static void
search_folder(struct search *search, struct folder *folder)
{
    DIR *handle = opendir(arena_printf("%s/%s", search->dir, folder->path));
    const struct dirent *entry;

    if (!handle) {
        lose_path(search->ast, folder->path, strerror(errno));
        return;
    }
    while ((entry = readdir(handle)))
        if (entry->d_name[0] != '.')
            search_entry(search, folder, arena_printf("%s/%s", folder->path, entry->d_name));
    closedir(handle);
}

/* Adds the files of one of the project's folders, sorted; how many there are. */
static size_t
parse_folder(struct ast *ast, const char *dir, const char *path)
{
    struct search search = {.ast = ast, .dir = dir};
    struct folder folder = {.path = path};
    struct stat st = {0};

    if (stat(arena_printf("%s/%s", dir, path), &st) != 0 && errno == ENOENT)
        return 0;
    folder.device = st.st_dev;
    folder.number = st.st_ino;
    search_folder(&search, &folder);
    if (search.found.n)
        qsort(search.found.at, search.found.n, sizeof(search.found.at[0]), compare_paths);
    for (size_t i = 0; i < search.found.n; i++)
        parse_file(ast, dir, search.found.at[i]);
    return search.found.n;
}

void
parse_project(struct ast *ast, const char *dir)
{
    size_t n = parse_folder(ast, dir, "schema");

    n += parse_folder(ast, dir, "policies");
    if (n == 0 && diag_errors() == 0) {
        struct span nowhere = {0};
        bool here = strcmp(dir, ".") == 0;
        struct diag *diag =
            diag_at(nowhere, PGS0005_NO_SOURCES, "%s holds no schema", here ? "this folder" : dir);

        lose_file(ast, source_from_text(dir, "", 0));
        diag_hint(diag, "a project keeps what there is in schema/*.schema, and who may do what in "
                        "policies/*.schema; `pgstack init DIR` makes a new one");
    }
}
