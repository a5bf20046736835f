/* SPDX-License-Identifier: MIT */
/*
 * Completion: the parser says which keywords may stand at the cursor and whether a name may; the
 * words around it say which names.
 */
#include <string.h>

#include "lsp/parts.h"
#include "model/functions.h"
#include "model/types.h"
#include "syntax/grammar.h"
#include "syntax/spell.h"
#include "syntax/words_at.h"

/* CompletionItemKind of the protocol. */
enum item_kind {
    ITEM_FUNCTION = 3,
    ITEM_FIELD = 5,
    ITEM_VARIABLE = 6,
    ITEM_CLASS = 7,
    ITEM_VALUE = 12,
    ITEM_KEYWORD = 14,
    ITEM_STRUCT = 22,
};

struct completion {
    struct str *out;
    const struct project *project;
    struct place place;
};

static void
put_item(struct completion *to, const char *label, enum item_kind kind, const char *detail,
         int order)
{
    json_comma(to->out);
    str_putc(to->out, '{');
    json_key_string(to->out, "label", kind == ITEM_KEYWORD ? label : spell_name(label));
    json_key_number(to->out, "kind", (size_t)kind);
    if (detail)
        json_key_string(to->out, "detail", detail);
    json_key_string(to->out, "sortText", arena_printf("%d%s", order, label));
    str_putc(to->out, '}');
}

/* ---- the words around ---- */

static bool
is(const struct tokens *tokens, size_t i, const char *word)
{
    return i < tokens->n && tokens->at[i].kind != TOKEN_STRING &&
           strcmp(tokens->at[i].text, word) == 0;
}

static bool
is_one_of(const struct token *token, const char *const *words)
{
    for (; *words; words++)
        if (token->kind != TOKEN_STRING && strcmp(token->text, *words) == 0)
            return true;
    return false;
}

/* The word before the list of names that the cursor is in: `to` of `to a, b, |`. */
static const struct token *
clause_word(const struct tokens *before)
{
    size_t i = before->n;

    while (i > 0 && (before->at[i - 1].kind == TOKEN_COMMA ||
                     (i > 1 && before->at[i - 2].kind == TOKEN_COMMA)))
        i--;
    return i > 0 ? &before->at[i - 1] : NULL;
}

static const struct table *
table_named(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model->tables.n; i++)
        if (strcmp(model->tables.at[i]->name, name) == 0)
            return model->tables.at[i];
    return NULL;
}

/* The table that follows a word, `on` of a policy or grant; a schema before it is skipped. */
static const struct table *
table_after(const struct model *model, const struct tokens *tokens, const char *word)
{
    for (size_t i = 0; i + 1 < tokens->n; i++) {
        size_t name = is(tokens, i + 2, ".") ? i + 3 : i + 1;

        if (is(tokens, i, word) && name < tokens->n)
            return table_named(model, tokens->at[name].text);
    }
    return NULL;
}

/* What a declaration is about: its columns may be named in it. */
static const struct table *
subject(const struct completion *to)
{
    static const char *const own[] = {"table", "endpoint", NULL};
    const struct tokens *before = &to->place.before;
    const struct table *table;

    if (before->n == 0)
        return NULL;
    if (is_one_of(&before->at[0], own))
        return table_after(to->project->model, before, before->at[0].text);
    table = table_after(to->project->model, before, "on");
    return table ? table : table_after(to->project->model, &to->place.after, "on");
}

/* ---- names ---- */

static void
put_columns(struct completion *to, const struct table *table, int order)
{
    for (size_t i = 0; table && i < table->columns.n; i++)
        put_item(
            to, table->columns.at[i]->name, ITEM_FIELD,
            arena_printf("%s, of %s",
                         describe_type(table->columns.at[i]->type, table->columns.at[i]->not_null),
                         table->name),
            order);
}

static void
put_tables(struct completion *to)
{
    const struct model *model = to->project->model;

    for (size_t i = 0; i < model->tables.n; i++) {
        const struct table *table = model->tables.at[i];

        if (!table->builtin)
            put_item(to, table->name, ITEM_STRUCT, table->is_view ? "view" : "table", 1);
    }
    put_item(to, "pgstack", ITEM_CLASS, "schema", 2);
}

static void
put_roles(struct completion *to)
{
    for (size_t i = 0; i < to->project->model->roles.n; i++) {
        const struct use use = {.kind = USE_ROLE, .object = to->project->model->roles.at[i]};

        put_item(to, use_name(&use), ITEM_VALUE, describe_use(&use), 1);
    }
}

static void
put_types(struct completion *to)
{
    size_t n;
    const char *const *spellings = type_spellings(&n);
    const struct model *model = to->project->model;

    for (size_t i = 0; i < model->types.n; i++) {
        const struct defined_type *type = &model->types.at[i];
        const char *name = type->composite ? type->composite->name
                           : type->range   ? type->range->name
                                           : type->domain->name;

        put_item(to, name, ITEM_CLASS, type->domain ? "domain" : "type", 1);
    }

    for (size_t i = 0; i < to->project->model->enumerations.n; i++)
        put_item(to, to->project->model->enumerations.at[i]->name, ITEM_CLASS, "type", 1);
    for (size_t i = 0; i < n; i++)
        put_item(to, spellings[i], ITEM_KEYWORD, "type", 2);
}

static void
put_cors(struct completion *to)
{
    for (size_t i = 0; i < to->project->model->cors.n; i++)
        put_item(to, to->project->model->cors.at[i]->name, ITEM_VALUE, "cors", 1);
}

/* The tables of the from clauses in the declaration, as they are called there. */
static void
visit_ranges(struct completion *to, const char *alias, const struct tokens *tokens)
{
    static const char *const words[] = {"from", "join", "update", "into", ",", NULL};

    for (size_t i = 0; i + 1 < tokens->n; i++) {
        size_t name = is(tokens, i + 2, ".") ? i + 3 : i + 1;
        size_t called = name + 1 + is(tokens, name + 1, "as");
        const struct table *table;
        bool has_alias;

        if (!is_one_of(&tokens->at[i], words) || name >= tokens->n)
            continue;
        table = table_named(to->project->model, tokens->at[name].text);
        has_alias = called < tokens->n && tokens->at[called].kind == TOKEN_ID;
        if (table &&
            (!alias || strcmp(alias, has_alias ? tokens->at[called].text : table->name) == 0))
            put_columns(to, table, alias ? 1 : 2);
    }
}

static void
put_claims(struct completion *to, int order)
{
    for (size_t i = 0; i < to->project->model->claims.n; i++) {
        const struct use use = {.kind = USE_CLAIM, .object = to->project->model->claims.at[i]};

        put_item(to, use_name(&use), ITEM_VARIABLE, describe_use(&use), order);
    }
}

static void
put_functions(struct completion *to)
{
    size_t n;
    const char *const *names = function_names(&n);

    for (size_t i = 0; i < n; i++)
        put_item(to, names[i], ITEM_FUNCTION, NULL, 4);
    put_item(to, "auth", ITEM_CLASS, "auth.uid(), auth.role(), auth.email(), auth.jwt()", 3);
}

static void
put_expression(struct completion *to)
{
    const struct model *model = to->project->model;

    put_columns(to, subject(to), 1);
    visit_ranges(to, NULL, &to->place.before);
    visit_ranges(to, NULL, &to->place.after);
    put_claims(to, 3);
    for (size_t i = 0; i < model->predicates.n; i++) {
        const struct use use = {.kind = USE_PREDICATE, .object = model->predicates.at[i]};

        put_item(to, use_name(&use), ITEM_FUNCTION, describe_use(&use), 3);
    }
    for (size_t i = 0; i < model->functions.n; i++) {
        const struct use use = {.kind = USE_FUNCTION, .object = model->functions.at[i]};

        put_item(to, use_name(&use), ITEM_FUNCTION, describe_use(&use), 3);
    }
    put_functions(to);
}

/* After `name.`: the columns of a table or alias, or what a schema has. */
static void
put_qualified(struct completion *to, const char *name)
{
    static const char *const functions[] = {"uid", "role", "email", "jwt"};
    const struct model *model = to->project->model;
    const struct table *about = subject(to);

    if (strcmp(name, "auth") == 0)
        for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
            put_item(to, functions[i], ITEM_FUNCTION, NULL, 1);
    if (strcmp(name, "claim") == 0)
        put_claims(to, 1);
    for (size_t i = 0; i < model->tables.n; i++)
        if (strcmp(model->tables.at[i]->schema, name) == 0)
            put_item(to, model->tables.at[i]->name, ITEM_STRUCT, "table", 1);
    if (about && strcmp(about->name, name) == 0)
        put_columns(to, about, 1);
    visit_ranges(to, name, &to->place.before);
    visit_ranges(to, name, &to->place.after);
}

/* ---- which of them ---- */

/* `(a |` and `, a |`: a name has been given, its type is next. */
static bool
awaits_type(const struct tokens *before)
{
    static const char *const words[] = {"::", "returns", "setof", NULL};
    static const char *const typed[] = {"table", "predicate", "query", "view",
                                        "claim", "function",  "type",  NULL};
    const struct token *last = before->n ? &before->at[before->n - 1] : NULL;
    const struct token *earlier = before->n > 1 ? last - 1 : NULL;

    if (!last || is_one_of(last, words))
        return last != NULL;
    if (!is_one_of(&before->at[0], typed) || !earlier)
        return false;
    return earlier->kind == TOKEN_LP || earlier->kind == TOKEN_COMMA ||
           earlier->kind == TOKEN_CLAIM;
}

static void
put_names(struct completion *to)
{
    static const char *const of_tables[] = {"on",       "references", "from", "join",
                                            "endpoint", "into",       "of",   NULL};
    static const char *const of_roles[] = {"to", "inherits", NULL};
    const struct token *clause = clause_word(&to->place.before);

    if (!clause)
        return;
    if (to->place.takes_expression)
        put_expression(to);
    else if (is_one_of(clause, of_roles))
        put_roles(to);
    else if (is_one_of(clause, of_tables))
        put_tables(to);
    else if (strcmp(clause->text, "cors") == 0)
        put_cors(to);
    else if (awaits_type(&to->place.before))
        put_types(to);
    else if (clause->kind == TOKEN_LP)
        put_columns(to, subject(to), 1);
}

static size_t
start_of_word(const struct source *source, size_t at)
{
    while (at > 0) {
        unsigned char c = (unsigned char)source->text[at - 1];
        bool within = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c >= 0x80;

        if (!within)
            break;
        at--;
    }
    return at;
}

void
answer_completion(struct str *out, yajl_val params)
{
    struct completion to = {.out = out, .project = project_get()};
    const struct source *source = project_source(to.project, wire_text(params, "textDocument.uri"));
    const struct tokens *before = &to.place.before;

    if (!source)
        return;
    if (to.project->earlier)
        to.project = to.project->earlier;
    to.place = words_at(source,
                        start_of_word(source, client_offset(source, wire_get(params, "position"))));
    str_putc(out, '[');
    if (before->n > 1 && before->at[before->n - 1].kind == TOKEN_DOT) {
        put_qualified(&to, before->at[before->n - 2].text);
    } else {
        if (to.place.takes_name)
            put_names(&to);
        for (size_t i = 0; i < to.place.words.list.n; i++)
            put_item(&to, to.place.words.list.at[i], ITEM_KEYWORD, NULL, 5);
    }
    str_putc(out, ']');
}
