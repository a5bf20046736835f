/* SPDX-License-Identifier: MIT */
/*
 * Roles, claims, grants and policies, each by itself: do the words name something, do they fit
 * together.  What they amount to as a whole is check_rights.c's.
 */
#include "check/checker.h"
#include "model/names.h"

#include <string.h>

/* ---- roles and claims ---- */

static void
check_inherits(struct checker *checker, const struct ast_role *ast, struct role *role)
{
    const struct role *parent = check_find_role(checker, &ast->inherits);
    struct diag *diag;

    if (!parent)
        return;
    if (role_is(parent, role)) {
        diag = diag_at(ast->inherits.span, PGS3024_ROLE_INHERITS,
                       "role \"%s\" inherits from itself", role->name);
        diag_hint(diag, "a role inherits from a built-in one, or from one that does");
        return;
    }
    if (parent->builtin && strcmp(parent->name, "service_role") == 0) {
        diag = diag_at(ast->inherits.span, PGS3024_ROLE_INHERITS,
                       "no role can inherit from service_role: it passes every policy");
        diag_hint(diag, "grant what the role needs");
        return;
    }
    role->inherits = parent;
}

/* The first role whose rule fits the token is taken: a second one with the same rule never is. */
static void
report_same_rule(const struct model *model, const struct role *role)
{
    for (size_t i = 0; model->roles.at[i] != role; i++) {
        const struct role *first = model->roles.at[i];
        struct diag *diag;

        if (!first->claim_path || strcmp(first->claim_path, role->claim_path) != 0 ||
            strcmp(first->claim_value, role->claim_value) != 0)
            continue;
        diag = diag_at(role->span, PGS3025_ROLE_UNREACHABLE,
                       "no token leads to role \"%s\": role \"%s\" takes them all", role->name,
                       first->name);
        diag_note(diag, first->span, "it has the same `when`, and comes first");
        diag_hint(diag, "give it a value of its own, or drop one of the two");
        return;
    }
}

/* Names with dots between them. */
static void
check_path(const struct ast_string *path)
{
    size_t len = strlen(path->text);
    struct diag *diag;

    if (len > 0 && path->text[0] != '.' && path->text[len - 1] != '.' && !strstr(path->text, ".."))
        return;
    diag = diag_at(path->span, PGS3063_CLAIM_PATH, "'%s' leads to nothing in a token", path->text);
    diag_hint(diag, "write the names with a dot between them: 'app_metadata.plan'");
}

static void
check_role(struct checker *checker, const struct ast_role *ast)
{
    struct role *role = check_role_named(checker, ast->name.text);
    struct diag *diag;

    if (!role || role->builtin || !check_same_place(role->span, ast->name.span))
        return;
    role->claim_path = ast->claim_path.text;
    role->claim_value = ast->claim_value.text;
    if (ast->inherits.text)
        check_inherits(checker, ast, role);
    if (!role->claim_path) {
        diag = diag_at(ast->name.span, PGS3025_ROLE_UNREACHABLE, "no token leads to role \"%s\"",
                       role->name);
        diag_hint(diag, "write `role %s when claim role = '%s'`", role->name, role->name);
    } else if (check_is_user_path(role->claim_path)) {
        diag = diag_at(ast->claim_path.span, PGS3015_CLAIM_FROM_USER,
                       "role \"%s\" comes from user_metadata, which users can change", role->name);
        diag_hint(diag, "take it from app_metadata");
    } else {
        check_path(&ast->claim_path);
        report_same_rule(checker->model, role);
    }
}

void
check_roles(struct checker *checker)
{
    for (size_t i = 0; i < checker->ast->roles.n; i++)
        check_role(checker, checker->ast->roles.at[i]);
    if (checker->model->roles.n > 64) {
        const struct role *role = checker->model->roles.at[64];
        struct diag *diag = diag_at(role->span, PGS3028_TOO_MANY_ROLES,
                                    "there are %zu roles, 64 at most", checker->model->roles.n);
        diag_hint(diag, "use a claim and a policy that compares it");
    }
}

/* A claim is NULL when the token has none, and comes as a text. */
static void
check_claim_type(const struct ast_claim *ast, struct type type)
{
    bool never_null = type_is_domain(type) && type.domain->not_null;
    struct diag *diag;

    if (type.kind != TYPE_COMPOSITE && !never_null)
        return;
    diag = diag_at(ast->type->span, PGS1208_CLAIM_TYPE, "a claim cannot be of type %s",
                   type_text(type));
    diag_note(diag, never_null ? type.domain->span : type.composite->span, "\"%s\" is here",
              type_text(type_element(type)));
    if (never_null)
        diag_hint(diag, "a token may lack the claim: drop `not null` from the domain, and say it "
                        "in the columns");
    else
        diag_hint(diag, "claim its fields one by one: `claim zip text from 'address.zip'`");
}

void
check_claims(struct checker *checker)
{
    for (size_t i = 0; i < checker->ast->claims.n; i++) {
        const struct ast_claim *ast = checker->ast->claims.at[i];
        struct claim *claim = check_claim_named(checker, ast->name.text);

        if (!check_same_place(claim->span, ast->name.span))
            continue;
        if (check_storable_type(checker, ast->type, &claim->type))
            check_claim_type(ast, claim->type);
        if (ast->path.text)
            check_path(&ast->path);
    }
}

/* ---- grants ---- */

static bool
refuse_service(const struct role *role, struct span span)
{
    struct diag *diag;

    if (!role->builtin || strcmp(role->name, "service_role") != 0)
        return false;
    diag = diag_at(span, PGS3020_SERVICE_ROLE, "service_role has every right without being told");
    diag_hint(diag, "drop it from the list");
    check_fix_unlist(diag, span);
    return true;
}

static bool
refuse_builtin_table(const struct table *table, struct span span)
{
    struct diag *diag;

    if (!table->builtin)
        return false;
    diag = diag_at(span, PGS3026_BUILTIN_TABLE, "%s.%s is for service_role alone", table->schema,
                   table->name);
    diag_hint(diag, "keep what others may see in a table of your own, with a reference to it");
    return true;
}

/* Views are read only. */
static bool
refuse_write_to_view(const struct table *table, const struct ast_command *command)
{
    struct diag *diag;

    if (!table->is_view || command->kind == AST_CMD_SELECT)
        return false;
    diag = diag_at(command->span, PGS3018_WRITE_TO_VIEW, "\"%s\" is a view: it can only be read",
                   table->name);
    diag_hint(diag, "grant the right on the table behind it");
    return true;
}

static void
refuse_generated(const struct grant *grant, const struct column *column, struct span span)
{
    struct diag *diag;

    if (!column->generated || grant->command == CMD_SELECT)
        return;
    diag = diag_at(span, PGS1264_GENERATED_WRITTEN,
                   "\"%s\" is generated: nobody can %s it, whatever is granted", column->name,
                   command_name(grant->command));
    diag_note(diag, column->span, "\"%s\" is here", column->name);
    diag_hint(diag, "drop it from the list");
    check_fix_unlist(diag, span);
}

static void
check_grant_columns(const struct table *table, const struct ast_command *command,
                    struct grant *grant)
{
    for (size_t i = 0; i < command->columns.n; i++) {
        struct column *column = check_find_column(table, &command->columns.at[i]);

        if (!column)
            continue;
        refuse_generated(grant, column, command->columns.at[i].span);
        vec_push(&grant->columns, column);
        vec_push(&grant->column_spans, command->columns.at[i].span);
    }
}

static void
add_grant(struct checker *checker, const struct table *table, const struct role *role,
          const struct ast_command *ast, enum command command)
{
    struct grant *grant = arena_alloc(sizeof(*grant));

    grant->span = ast->span;
    grant->command = command;
    grant->table = table;
    grant->role = role;
    check_grant_columns(table, ast, grant);
    vec_push(&checker->model->grants, grant);
    vec_push(&((struct table *)table)->grants, grant);
}

static void
grant_to(struct checker *checker, const struct ast_grant *ast, const struct table *table,
         const struct role *role)
{
    for (size_t i = 0; i < ast->commands.n; i++) {
        const struct ast_command *command = &ast->commands.at[i];

        if (refuse_write_to_view(table, command))
            continue;
        if (command->kind != AST_CMD_ALL) {
            add_grant(checker, table, role, command, (enum command)command->kind);
            continue;
        }
        for (int c = 0; c < COMMANDS; c++)
            add_grant(checker, table, role, command, (enum command)c);
    }
}

static void
check_grant(struct checker *checker, const struct ast_grant *ast)
{
    for (size_t i = 0; i < ast->roles.n; i++) {
        const struct role *role = check_find_role(checker, &ast->roles.at[i]);

        if (role && refuse_service(role, ast->roles.at[i].span)) {
            checker->guessing = true; /* who was meant is not known */
            continue;
        }
        checker->guessing |= !role;
        for (size_t j = 0; role && j < ast->tables.n; j++) {
            const struct table *table = check_find_table(checker, &ast->tables.at[j]);

            checker->guessing |= !table;
            if (table && !refuse_builtin_table(table, ast->tables.at[j].span) &&
                !check_refuse_part(checker, table, ast->tables.at[j].span, "granted"))
                grant_to(checker, ast, table, role);
        }
    }
}

void
check_grants(struct checker *checker)
{
    for (size_t i = 0; i < checker->ast->grants.n; i++)
        check_grant(checker, checker->ast->grants.at[i]);
}

/* ---- policies ---- */

/* Which commands a policy is for; `all` is the four. */
struct commands {
    bool has[COMMANDS];
    size_t n;
};

static struct commands
read_commands(const struct ast_policy *ast)
{
    struct commands commands = {0};

    for (size_t i = 0; i < ast->commands.n; i++) {
        for (int c = 0; c < COMMANDS; c++)
            if (ast->commands.at[i].kind == AST_CMD_ALL || (int)ast->commands.at[i].kind == c)
                commands.has[c] = true;
    }
    for (int c = 0; c < COMMANDS; c++)
        commands.n += commands.has[c];
    return commands;
}

/* `using` chooses old rows, `with check` tests new ones: each needs a command that has them. */
static void
check_clauses(const struct ast_policy *ast, const struct commands *commands)
{
    bool reads =
        commands->has[CMD_SELECT] || commands->has[CMD_UPDATE] || commands->has[CMD_DELETE];
    bool writes = commands->has[CMD_INSERT] || commands->has[CMD_UPDATE];
    struct diag *diag;

    if (ast->using_expr && !reads && commands->n > 0) {
        diag = diag_at(ast->using_expr->span, PGS3006_USING_ON_INSERT,
                       "`using` chooses among rows that are there, and insert has none");
        diag_hint(diag, "write `with check (...)`");
        if (!ast->check_expr)
            check_fix_word(diag, ast->using_expr->span, "using", "with check");
    }
    if (ast->check_expr && !writes && commands->n > 0) {
        diag = diag_at(ast->check_expr->span, PGS3007_CHECK_WITHOUT_WRITE,
                       "`with check` tests new rows, and select and delete make none");
        diag_hint(diag, "write `using (...)`");
        if (!ast->using_expr)
            check_fix_word(diag, ast->check_expr->span, "with check", "using");
    }
    if (!ast->check_expr && commands->has[CMD_INSERT] && (reads || !ast->using_expr)) {
        diag = diag_at(ast->name.span, PGS3008_INSERT_WITHOUT_CHECK,
                       "policy \"%s\" lets insert make any row", ast->name.text);
        diag_hint(diag, "add `with check (...)`: what a new row must be like");
    }
    if (!ast->using_expr && reads) {
        diag = diag_at(ast->name.span, PGS3009_POLICY_WITHOUT_USING,
                       "policy \"%s\" admits no row: it has no `using`", ast->name.text);
        diag_hint(diag, "add `using (...)`: which rows are meant");
    }
}

static struct expr *
policy_condition(struct checker *checker, const struct table *table, const struct ast_expr *ast,
                 const char *what)
{
    struct scope scope = check_row_scope(checker, PLACE_POLICY, table);
    struct expr *expr;

    if (!ast)
        return NULL;
    if (ast->kind == AST_PUBLIC) {
        expr = check_new_expr(EXPR_PUBLIC, ast->span);
        expr->type = type_scalar(TYPE_BOOL);
        expr->nullable = false;
        return expr;
    }
    scope.clause = "a policy";
    return check_condition(&scope, ast, what);
}

static void
find_policy_roles(struct checker *checker, const struct ast_policy *ast, struct policy *policy)
{
    for (size_t i = 0; i < ast->roles.n; i++) {
        const struct role *role = check_find_role(checker, &ast->roles.at[i]);

        if (role && refuse_service(role, ast->roles.at[i].span))
            checker->guessing = true;
        else if (role)
            vec_push(&policy->roles, role);
        checker->guessing |= !role;
    }
    if (ast->roles.n > 0)
        return;
    struct diag *diag = diag_at(ast->name.span, PGS3022_POLICY_WITHOUT_ROLES,
                                "policy \"%s\" does not say to whom", ast->name.text);
    diag_hint(diag, "add `to authenticated`");
}

static void
check_policy_name(const struct ast_policy *ast, const struct table *table)
{
    for (size_t i = 0; i < table->policies.n; i++) {
        const struct policy *other = table->policies.at[i];
        struct diag *diag;

        if (strcmp(other->name, ast->name.text) != 0)
            continue;
        diag = diag_at(ast->name.span, PGS1112_DUPLICATE_POLICY,
                       "policy \"%s\" on \"%s\" is declared twice", ast->name.text, table->name);
        diag_note(diag, other->span, "first declared here");
        diag_hint(diag, "rename one of the two, or join their conditions");
        return;
    }
}

/* In PostgreSQL a policy for several commands is one for each, with the command in its name.
 * False: reported. */
static bool
check_sql_name(const struct policy *policy)
{
    struct diag *diag;

    if (strcmp(policy->sql_name, "pgstack_service") == 0) {
        diag =
            diag_at(policy->span, PGS1112_DUPLICATE_POLICY,
                    "\"%s\" is the policy that each table has for service_role", policy->sql_name);
        diag_hint(diag, "choose another name");
        return false;
    }
    for (size_t i = 0; i < policy->table->policies.n; i++) {
        const struct policy *other = policy->table->policies.at[i];

        if (strcmp(other->name, policy->name) == 0 ||
            strcmp(other->sql_name, policy->sql_name) != 0)
            continue;
        diag = diag_at(policy->span, PGS1112_DUPLICATE_POLICY,
                       "policy \"%s\" and policy \"%s\" on \"%s\" would both be \"%s\" in "
                       "PostgreSQL",
                       policy->name, other->name, policy->table->name, policy->sql_name);
        diag_note(diag, other->span, "\"%s\" is here", other->name);
        diag_hint(diag, "rename one of the two");
        return false;
    }
    return true;
}

static bool
refuse_policy_target(const struct table *table, const struct ast_policy *ast)
{
    struct diag *diag;

    if (!table->is_view)
        return refuse_builtin_table(table, ast->table.span);
    diag = diag_at(ast->table.span, PGS3021_POLICY_ON_VIEW,
                   "\"%s\" is a view: it has no policies of its own", table->name);
    diag_note(diag, table->span, "a view shows what the policies of its tables let through");
    diag_hint(diag, "put the policy on the table");
    return true;
}

static void
add_policies(struct checker *checker, const struct ast_policy *ast, const struct policy *common,
             const struct commands *commands)
{
    bool fits = true;

    for (int c = 0; c < COMMANDS; c++) {
        struct policy *policy;

        if (!commands->has[c])
            continue;
        policy = arena_alloc(sizeof(*policy));
        *policy = *common;
        policy->command = (enum command)c;
        policy->sql_name = commands->n == 1
                               ? ast->name.text
                               : name_object(ast->name.text, NULL, command_name(policy->command));
        fits = fits && check_sql_name(policy);
        if (c == CMD_INSERT)
            policy->using_expr = NULL;
        if (c == CMD_SELECT || c == CMD_DELETE)
            policy->check_expr = NULL;
        vec_push(&checker->model->policies, policy);
        vec_push(&((struct table *)policy->table)->policies, policy);
    }
}

static void
check_policy(struct checker *checker, const struct ast_policy *ast)
{
    struct policy policy = {.span = ast->name.span, .name = ast->name.text};
    struct commands commands = read_commands(ast);

    policy.table = check_find_table(checker, &ast->table);
    find_policy_roles(checker, ast, &policy);
    if (ast->commands.n == 0) {
        struct diag *diag = diag_at(ast->name.span, PGS3023_POLICY_WITHOUT_COMMANDS,
                                    "policy \"%s\" does not say for what", ast->name.text);
        diag_hint(diag, "add `for select`, or the commands that are meant");
    }
    check_clauses(ast, &commands);
    checker->guessing |= !policy.table || ast->commands.n == 0 || ast->roles.n == 0;
    if (!policy.table || refuse_policy_target(policy.table, ast) ||
        check_refuse_part(checker, policy.table, ast->table.span, "policed"))
        return;
    check_policy_name(ast, policy.table);
    policy.restrictive = ast->restrictive;
    policy.using_expr = policy_condition(checker, policy.table, ast->using_expr, "`using`");
    policy.check_expr = policy_condition(checker, policy.table, ast->check_expr, "`with check`");
    add_policies(checker, ast, &policy, &commands);
}

void
check_policies(struct checker *checker)
{
    for (size_t i = 0; i < checker->ast->policies.n; i++)
        check_policy(checker, checker->ast->policies.at[i]);
}
