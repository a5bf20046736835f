/* SPDX-License-Identifier: MIT */
/*
 * Webhooks: what leaves the database, where to, and when.  The row policies are not asked, because
 * nobody does the asking: the declaration alone decides.
 */
#include "served/webhook.h"

#include <string.h>

#define RETRY_MOST 50
#define RETRY_USUAL 8
#define WITHIN_MOST_S (7 * 86400L)
#define WITHIN_USUAL_S 3600

/* ---- address and key ---- */

/* Settings of the server itself, which no receiver may learn. */
static bool
is_own_setting(const char *name)
{
    static const char *const names[] = {"JWT_SECRET",
                                        "SERVICE_ROLE_KEY",
                                        "ANON_KEY",
                                        "DATABASE_URL",
                                        "ADMIN_DATABASE_URL",
                                        "MIGRATION_DATABASE_URL",
                                        "SECRETS_ENCRYPTION_KEY"};

    if (strncmp(name, "PGSTACK_", 8) == 0)
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* The variable of the environment; NULL: reported, or not said. */
static const char *
read_env(const struct webhook *webhook, const struct ast_secret *secret)
{
    const char *name = secret->env.text;
    struct diag *diag;

    if (!name)
        return NULL;
    if (name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] ||
        (*name >= '0' && *name <= '9')) {
        diag = diag_at(secret->env.span, PGS4184_ENV_NAME,
                       "\"%s\" is no name of a variable: capital letters, digits and _", name);
        diag_hint(diag, "write a name, such as `env HOOK_URL`; its value never stands here");
        return NULL;
    }
    if (is_own_setting(name)) {
        diag = diag_at(secret->env.span, PGS4185_ENV_RESERVED,
                       "webhook \"%s\" would give %s, a key of the server itself, to a receiver",
                       webhook->name, name);
        diag_hint(diag, "give the webhook a variable of its own");
        return NULL;
    }
    return name;
}

/* What is wrong with the address besides that it stands here. */
static const char *
address_fault(const char *text)
{
    struct url url;

    if (!url_split(text, &url))
        return "";
    if (url.user.at)
        return ", with a password in it";
    if (url.query.at && (strstr(url.query.at, "key") || strstr(url.query.at, "token") ||
                         strstr(url.query.at, "secret") || strstr(url.query.at, "sig")))
        return ", with a key in it";
    if (!url_part_is(url.scheme, "https"))
        return ", and goes over the net unencrypted";
    if (url_is_loopback(url.host) || url_is_private(url.host))
        return ", and leads into the server's own network";
    return "";
}

static void
check_literals(const struct webhook *webhook, const struct ast_webhook *ast)
{
    struct diag *diag;

    if (ast->key.text.text) {
        diag = diag_at(ast->key.span, PGS4171_KEY_IN_SCHEMA,
                       "webhook \"%s\": a key cannot stand in the schema", webhook->name);
        if (ast->to.text.text)
            diag_note(diag, ast->to.span, "nor can the address%s",
                      address_fault(ast->to.text.text));
        diag_hint(diag, "write `signed env HOOK_KEY`%s; change the key, it is known now",
                  ast->to.text.text ? ", the address too (`to env HOOK_URL`)" : "");
    } else if (ast->to.text.text) {
        diag = diag_at(ast->to.span, PGS4172_URL_IN_SCHEMA,
                       "webhook \"%s\": the address stands in the schema%s", webhook->name,
                       address_fault(ast->to.text.text));
        diag_hint(diag, "write `to env HOOK_URL`: it differs between test and production, and "
                        "often is a secret");
    }
}

/* Who may write the column would send the server anywhere: into its own network, too. */
static void
check_from_row(const struct webhook *webhook, const struct ast_webhook *ast)
{
    struct diag *diag;

    if (ast->to.row) {
        diag = diag_at(ast->to.span, PGS4301_TARGET_FROM_ROW,
                       "webhook \"%s\" goes where the row says: whoever writes it sends this "
                       "server anywhere, into its own network too",
                       webhook->name);
        diag_hint(diag, "write `to env HOOK_URL`; a receiver of yours can pass it on, after a look "
                        "at the address");
    } else if (ast->key.row) {
        diag = diag_at(ast->key.span, PGS4301_TARGET_FROM_ROW,
                       "webhook \"%s\" is signed with what the row says: whoever reads it can "
                       "sign, too",
                       webhook->name);
        diag_hint(diag, "write `signed env HOOK_KEY`");
    }
}

/* Tools that build web pages put variables with these names into them. */
static void
check_public_variable(const struct webhook *webhook, const struct ast_secret *key)
{
    static const char *const prefixes[] = {"NEXT_PUBLIC_", "VITE_",   "REACT_APP_", "EXPO_PUBLIC_",
                                           "NUXT_PUBLIC_", "GATSBY_", "VUE_APP_",   "PUBLIC_"};
    struct diag *diag;

    for (size_t i = 0; webhook->key_env && i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (strncmp(webhook->key_env, prefixes[i], strlen(prefixes[i])) != 0)
            continue;
        diag = diag_at(key->env.span, PGS4302_PUBLIC_VARIABLE,
                       "webhook \"%s\": a variable that begins with %s is put into web pages, "
                       "where everybody reads the key",
                       webhook->name, prefixes[i]);
        diag_hint(diag, "give it another name, and change the key");
        return;
    }
}

static void
check_target(struct webhook *webhook, const struct ast_webhook *ast)
{
    struct diag *diag;

    check_literals(webhook, ast);
    check_from_row(webhook, ast);
    if (!ast->to.span.file) {
        diag = diag_at(webhook->span, PGS4174_WEBHOOK_WITHOUT_TARGET,
                       "webhook \"%s\" does not say where to", webhook->name);
        diag_hint(diag, "add `to env HOOK_URL`");
    }
    if (!ast->key.span.file) {
        diag = diag_at(webhook->span, PGS4173_WEBHOOK_UNSIGNED,
                       "webhook \"%s\" is not signed: its receiver cannot tell it from anyone's",
                       webhook->name);
        diag_hint(diag, "add `signed env HOOK_KEY`");
    }
    webhook->url_env = read_env(webhook, &ast->to);
    webhook->key_env = read_env(webhook, &ast->key);
    check_public_variable(webhook, &ast->key);
    if (webhook->url_env && webhook->key_env && strcmp(webhook->url_env, webhook->key_env) == 0) {
        diag = diag_at(ast->key.span, PGS4186_ENV_SHARED,
                       "webhook \"%s\" is signed with its own address", webhook->name);
        diag_hint(diag, "give the key a variable of its own");
    }
}

/* ---- when ---- */

static void
report_event(const struct ast_command *event, const char *why, const char *hint)
{
    struct diag *diag = diag_at(event->span, PGS4188_WEBHOOK_EVENT, "%s", why);

    diag_hint(diag, "%s", hint);
}

static void
read_events(struct webhook *webhook, const struct ast_webhook *ast)
{
    static const int commands[] = {
        [AST_CMD_SELECT] = COMMANDS,   [AST_CMD_INSERT] = CMD_INSERT, [AST_CMD_UPDATE] = CMD_UPDATE,
        [AST_CMD_DELETE] = CMD_DELETE, [AST_CMD_ALL] = COMMANDS,
    };

    for (size_t i = 0; i < ast->events.n; i++) {
        const struct ast_command *event = &ast->events.at[i];
        int command = commands[event->kind];

        if (command == COMMANDS)
            report_event(event, "a webhook follows a write: insert, update or delete",
                         "write `after insert or update or delete`");
        else if (webhook->events[command])
            report_event(event, "this event is here for the second time", "drop one of the two");
        else
            webhook->events[command] = true;
    }
}

static const struct range *
row_range(const struct webhook *webhook, const char *alias)
{
    struct range *range = arena_alloc(sizeof(*range));

    range->span = webhook->table->span;
    range->alias = alias;
    range->table = webhook->table;
    return range;
}

static void
check_when(struct checker *checker, struct webhook *webhook, const struct ast_webhook *ast)
{
    struct scope scope = {.checker = checker, .place = PLACE_QUERY, .clause = "`when`"};
    size_t errors = diag_errors();

    webhook->new_row = row_range(webhook, "new");
    webhook->old_row = row_range(webhook, "old");
    if (!ast->when)
        return;
    vec_push(&scope.ranges, (struct range *)webhook->new_row);
    vec_push(&scope.ranges, (struct range *)webhook->old_row);
    webhook->when = check_condition(&scope, ast->when, "`when`");
    if (diag_errors() == errors)
        check_webhook_when(webhook);
}

/* ---- what is sent ---- */

static bool
sounds_secret(const char *name)
{
    static const char *const words[] = {"password", "passwd",  "secret",      "token",
                                        "api_key",  "apikey",  "private_key", "credential",
                                        "otp",      "session", "recovery"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strstr(name, words[i]))
            return true;
    return strcmp(name, "hash") == 0 || strcmp(name, "salt") == 0;
}

static void
check_sent(const struct webhook *webhook, const struct column *column, struct span span)
{
    struct diag *diag;

    if (column->is_private) {
        diag =
            diag_at(span, PGS4176_WEBHOOK_SENDS_PRIVATE,
                    "webhook \"%s\" sends \"%s\", which is private", webhook->name, column->name);
        diag_note(diag, column->span, "it is marked here");
        diag_hint(diag, "leave it out; the receiver can ask for what it may read");
    } else if (sounds_secret(column->name)) {
        diag = diag_at(span, PGS4177_WEBHOOK_SENDS_SECRET,
                       "webhook \"%s\" sends \"%s\", a secret by its name", webhook->name,
                       column->name);
        diag_hint(diag, "leave it out: what is sent stays in logs and queues; or rename the "
                        "column if it is none");
    }
}

static void
read_columns(struct webhook *webhook, const struct ast_webhook *ast)
{
    struct diag *diag;

    if (ast->star.file) {
        diag =
            diag_at(ast->star, PGS4175_WEBHOOK_WHOLE_ROW,
                    "webhook \"%s\" sends whole rows, and every column of tomorrow", webhook->name);
        diag_hint(diag, "list the columns: `send (id, ...)`");
    } else if (ast->columns.n == 0) {
        diag = diag_at(webhook->span, PGS4175_WEBHOOK_WHOLE_ROW,
                       "webhook \"%s\" does not say what it sends", webhook->name);
        diag_hint(diag, "list the columns: `send (id, ...)`");
    }
    for (size_t i = 0; i < ast->columns.n; i++) {
        const struct ast_name *name = &ast->columns.at[i];
        const struct column *column = check_find_column(webhook->table, name);

        if (!column)
            continue;
        check_sent(webhook, column, name->span);
        vec_push(&webhook->columns, column);
        vec_push(&webhook->column_spans, name->span);
    }
}

static void
read_retries(struct webhook *webhook, const struct ast_webhook *ast)
{
    struct diag *diag;

    webhook->retry = ast->retry_span.file ? (int)ast->retry : RETRY_USUAL;
    webhook->within_s = ast->within_span.file ? (int)ast->within_s : WITHIN_USUAL_S;
    if (ast->retry_span.file && ast->retry > RETRY_MOST) {
        diag = diag_at(ast->retry_span, PGS4183_WEBHOOK_RETRY,
                       "webhook \"%s\" tries %ld times; %d are the most", webhook->name, ast->retry,
                       RETRY_MOST);
        diag_hint(diag, "write `retry 8 within 1 h`: what a receiver missed is kept and can be "
                        "sent again");
    }
    if (ast->within_span.file && (ast->within_s > WITHIN_MOST_S || ast->within_s == 0)) {
        diag = diag_at(ast->within_span, PGS4183_WEBHOOK_RETRY,
                       "webhook \"%s\" tries for %s; from 1 s to 7 d are allowed", webhook->name,
                       ast->within_s == 0 ? "no time at all" : "too long");
        diag_hint(diag, "write `retry 8 within 1 h`");
    }
}

/* ---- the whole ---- */

static bool
check_table(struct checker *checker, struct webhook *webhook, const struct ast_webhook *ast)
{
    struct diag *diag;

    webhook->table = check_find_table(checker, &ast->table);
    if (!webhook->table)
        return false;
    if (!webhook->table->is_view && !webhook->table->builtin)
        return true;
    diag = diag_at(ast->table.span, PGS4178_WEBHOOK_ON_VIEW,
                   webhook->table->is_view ? "webhook \"%s\" is on view \"%s\": nothing is "
                                             "written to it"
                                           : "webhook \"%s\" is on \"%s\", a table of the platform",
                   webhook->name, webhook->table->name);
    diag_hint(diag, webhook->table->is_view ? "name the table whose changes are meant"
                                            : "have a table of your own about users");
    return false;
}

static bool
is_declared_twice(const struct model *model, const struct webhook *webhook)
{
    for (size_t i = 0; i < model->webhooks.n; i++) {
        struct diag *diag;

        if (strcmp(model->webhooks.at[i]->name, webhook->name) != 0)
            continue;
        diag = diag_at(webhook->span, PGS4170_DUPLICATE_WEBHOOK, "webhook \"%s\" is declared twice",
                       webhook->name);
        diag_note(diag, model->webhooks.at[i]->span, "first declared here");
        diag_hint(diag, "rename one of the two, or drop it");
        return true;
    }
    return false;
}

/* Who has the key of one receiver can speak to the other in our name. */
static void
check_shared_keys(const struct model *model, const struct webhook *webhook,
                  const struct ast_webhook *ast)
{
    for (size_t i = 0; i < model->webhooks.n; i++) {
        const struct webhook *other = model->webhooks.at[i];
        struct diag *diag;

        if (!webhook->key_env || !webhook->url_env || !other->key_env || !other->url_env ||
            strcmp(other->key_env, webhook->key_env) != 0 ||
            strcmp(other->url_env, webhook->url_env) == 0)
            continue;
        diag = diag_at(ast->key.span, PGS4187_KEY_SHARED,
                       "webhooks \"%s\" and \"%s\" have one key and two receivers: each could "
                       "sign for the other",
                       other->name, webhook->name);
        diag_note(diag, other->span, "\"%s\" is here", other->name);
        diag_hint(diag, "give each receiver a key of its own");
        return;
    }
}

void
check_webhooks(struct checker *checker)
{
    struct model *model = checker->model;

    for (size_t i = 0; i < checker->ast->webhooks.n; i++) {
        const struct ast_webhook *ast = checker->ast->webhooks.at[i];
        struct webhook *webhook = arena_alloc(sizeof(*webhook));

        webhook->span = ast->name.span;
        webhook->name = ast->name.text;
        if (is_declared_twice(model, webhook))
            continue;
        read_events(webhook, ast);
        read_retries(webhook, ast);
        check_target(webhook, ast);
        check_shared_keys(model, webhook, ast);
        if (check_table(checker, webhook, ast)) {
            read_columns(webhook, ast);
            check_when(checker, webhook, ast);
        }
        vec_push(&model->webhooks, webhook);
    }
}
