/* SPDX-License-Identifier: MIT */
/* Columns that a grant gives away because nobody listed them, or that nobody should read. */
#include "rights/rights.h"

#include <string.h>

#include "base/words.h"
#include "rights/branch.h"

/* ---- names of secrets ---- */

/* What was sent elsewhere, to see whether it arrived. */
static bool
is_one_time_code(const struct column *column)
{
    static const char *const tables[] = {"otp",      "otps",          "one_time",
                                         "mfa",      "verification",  "verifications",
                                         "passcode", "login_attempt", "phone_code"};

    return strcmp(column->name, "code") == 0 && WORD_IS_PART(column->table->name, tables);
}

static bool
is_for_nobody(const struct column *column)
{
    static const char *const words[] = {"password",
                                        "passwd",
                                        "password_hash",
                                        "hashed_password",
                                        "pwd",
                                        "pass_hash",
                                        "password_digest",
                                        "totp_secret",
                                        "otp_secret",
                                        "salt",
                                        "token_hash",
                                        "encrypted_password",
                                        "otp",
                                        "otp_code",
                                        "recovery_codes",
                                        "backup_codes",
                                        "reset_token",
                                        "reset_code",
                                        "confirmation_token",
                                        "confirmation_code",
                                        "cvv",
                                        "cvc",
                                        "verification_token",
                                        "verification_code",
                                        "mfa_secret",
                                        "recovery_token",
                                        "two_factor_secret",
                                        "activation_token",
                                        "login_code",
                                        "magic_token",
                                        "pin_hash",
                                        "pin_code",
                                        "seed_phrase",
                                        "mnemonic",
                                        "card_number",
                                        "login_token"};

    return WORD_IS_PART(column->name, words) || is_one_time_code(column);
}

static bool
is_for_owner(const struct column *column)
{
    static const char *const words[] = {"secret",        "api_key",     "apikey",
                                        "access_token",  "private_key", "refresh_token",
                                        "client_secret", "auth_token",  "bot_token",
                                        "session_token", "signing_key", "webhook_secret"};

    return WORD_IS_PART(column->name, words);
}

/* ---- I33: every row, and every column ---- */

/* One that opens every row, or else some to everybody. */
static const struct branch *
opening_branch(const struct grant *grant, struct branches *seen)
{
    if (!check_role_branches(grant->role, grant->table, CMD_SELECT, false, seen))
        return NULL;
    for (size_t i = 0; i < seen->n; i++)
        if (check_is_public(&seen->at[i]))
            return &seen->at[i];
    for (size_t i = 0; i < seen->n; i++)
        if (!check_names_caller(&seen->at[i], grant->role))
            return &seen->at[i];
    return NULL;
}

/* What people expect to be kept from strangers. */
static bool
is_personal(const struct column *column)
{
    static const char *const words[] = {
        "email",          "e_mail",      "ssn",        "iban",          "payment",
        "card",           "stripe",      "billing",    "salary",        "income",
        "birthday",       "dob",         "birth_date", "passport",      "tax_id",
        "ip_address",     "medical",     "internal",   "date_of_birth", "bank",
        "account_number", "national_id", "emergency",  "private"};

    return !type_is_bool(column->type) &&
           (WORD_IS_PART(column->name, words) || is_for_nobody(column) || is_for_owner(column));
}

static bool
refers_to_users(const struct column *column)
{
    for (size_t i = 0; i < column->table->constraints.n; i++) {
        const struct constraint *key = column->table->constraints.at[i];

        if (key->kind == CONSTRAINT_FOREIGN_KEY && key->target->builtin && key->columns.n == 1 &&
            key->columns.at[0] == column)
            return true;
    }
    return column->default_expr && check_is_identity(column->default_expr);
}

/* A venue has a telephone for all to know, a customer has not. */
static bool
is_reachable(const struct column *column)
{
    static const char *const people[] = {"user",   "users",  "profile", "profiles", "customer",
                                         "member", "person", "people",  "employee", "patient",
                                         "lead",   "client", "contact", "account",  "student",
                                         "order",  "guest",  "buyer",   "customers"};
    static const char *const words[] = {"phone", "mobile", "address", "street", "ip", "wallet"};

    return WORD_IS_PART(column->name, words) && WORD_IS_PART(column->table->name, people);
}

/* Something in it that people expect to be kept. */
static bool
is_personal_table(const struct table *table)
{
    for (size_t i = 0; i < table->columns.n; i++)
        if (!table->columns.at[i]->is_private &&
            (is_personal(table->columns.at[i]) || is_reachable(table->columns.at[i])))
            return true;
    return false;
}

/* That, or a row is a person. */
static bool
is_about_people(const struct table *table)
{
    for (size_t i = 0; i < table->columns.n; i++)
        if (check_is_unique(table->columns.at[i]) && refers_to_users(table->columns.at[i]))
            return true;
    return is_personal_table(table);
}

static void
check_open_columns(struct checker *checker, const struct grant *grant)
{
    struct branches seen = {0};
    const struct branch *branch;
    bool every;
    struct diag *diag;

    if (grant->command != CMD_SELECT || grant->columns.n > 0 || !is_about_people(grant->table))
        return;
    branch = opening_branch(grant, &seen);
    every = branch && check_is_public(branch);
    if (!branch || (!every && !is_personal_table(grant->table)) ||
        check_is_told(checker, grant->span))
        return;
    diag = diag_at(grant->span, PGS3070_OPEN_COLUMNS,
                   "policy \"%s\" opens %s of \"%s\"%s, and this grant every column",
                   branch->policy->name, every ? "every row" : "rows", grant->table->name,
                   every ? "" : " to everybody");
    diag_note(diag, every ? branch->policy->span : branch->part->span,
              every ? "the policy is here" : "this names no caller");
    diag_hint(diag,
              "list the columns, `grant select (%s, ...)`: what is added later is then not "
              "open by itself",
              grant->table->columns.n > 0 ? grant->table->columns.at[0]->name : "id");
}

/* ---- secrets that are read ---- */

/* Each row is seen by its owner alone. */
static bool
is_own_rows(const struct grant *grant)
{
    struct branches seen = {0};

    if (!check_role_branches(grant->role, grant->table, CMD_SELECT, false, &seen))
        return true;
    for (size_t i = 0; i < seen.n; i++) {
        bool own = check_is_gated(&seen.at[i], grant->role);

        for (size_t j = 0; j < grant->table->columns.n && !own; j++)
            own =
                check_tie(&seen.at[i], NULL, grant->table->columns.at[j], grant->role) == TIE_SELF;
        if (!own)
            return false;
    }
    return true;
}

static void
check_secrets_of(struct checker *checker, const struct grant *grant)
{
    for (size_t i = 0; i < grant->table->columns.n; i++) {
        const struct column *column = grant->table->columns.at[i];
        struct diag *diag;

        if (column->is_private || type_is_bool(column->type) || !grant_holds_for(grant, column) ||
            (!is_for_nobody(column) && (!is_for_owner(column) || is_own_rows(grant))) ||
            check_is_told(checker, grant_place(grant, column)))
            continue;
        diag = diag_at(grant_place(grant, column), PGS3071_SECRET_READABLE,
                       "\"%s\" may select %s.%s, which looks like a secret", grant->role->name,
                       grant->table->name, column->name);
        diag_note(diag, column->span, "\"%s\" is here", column->name);
        diag_hint(diag, "mark it `private`, and list the columns of the grant without it");
    }
}

/* ---- I15: privileged columns in a grant without a list ---- */

static bool
is_privileged(const struct column *column)
{
    static const char *const words[] = {
        "role",     "roles",  "admin",  "is_admin",   "staff",      "is_staff",    "superuser",
        "plan",     "tier",   "points", "balance",    "credits",    "credit",      "coins",
        "karma",    "level",  "rank",   "reputation", "permission", "permissions", "verified",
        "approved", "banned", "paid",   "premium",    "discount",   "quota",       "privilege"};

    return WORD_IS_PART(column->name, words);
}

/* Not by the client, as its default says. */
static bool
is_given(const struct column *column, const void *data)
{
    (void)data;
    return is_privileged(column) && !check_is_speaker(column) && column->default_expr &&
           !check_is_identity(column->default_expr);
}

static void
check_privileged(struct checker *checker, const struct grant *grant)
{
    struct branches written = {0};

    if ((grant->command != CMD_INSERT && grant->command != CMD_UPDATE) || grant->columns.n > 0 ||
        !check_role_branches(grant->role, grant->table, grant->command, true, &written) ||
        !check_has_free_side(&written, grant->role))
        return;
    for (size_t i = 0; i < grant->table->columns.n; i++) {
        const struct column *column = grant->table->columns.at[i];
        struct diag *diag;

        if (!is_given(column, NULL) || check_is_told(checker, grant->span))
            continue;
        diag = diag_at(grant->span, PGS3055_PRIVILEGED_DEFAULT,
                       "\"%s\" may %s every column of \"%s\", \"%s\" too", grant->role->name,
                       command_name(grant->command), grant->table->name, column->name);
        diag_note(diag, column->span, "its default is what the application means to give");
        diag_hint(diag, "list the columns: `%s (...)`; what is left out keeps its default",
                  command_name(grant->command));
        check_fix_columns(diag, grant, is_given, NULL);
        return;
    }
}

void
check_exposure(struct checker *checker)
{
    const struct model *model = checker->model;

    if (checker->guessing)
        return;
    for (size_t i = 0; i < model->grants.n; i++) {
        const struct grant *grant = model->grants.at[i];

        if (grant->table->is_view || !check_is_anybody(grant->role))
            continue;
        check_open_columns(checker, grant);
        if (grant->command == CMD_SELECT)
            check_secrets_of(checker, grant);
        check_privileged(checker, grant);
    }
}
