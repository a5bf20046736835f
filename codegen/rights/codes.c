/* SPDX-License-Identifier: MIT */
/*
 * Codes that open something for whoever holds them, invitations and shared links, in a list that
 * callers may read; and what colleagues read of one another because nobody listed the columns.
 */
#include "rights/rights.h"

#include <string.h>

#include "base/words.h"
#include "rights/branch.h"

static bool
ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), end_len = strlen(end);

    return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

/* ---- codes ---- */

bool
check_is_code(const struct column *column)
{
    static const char *const words[] = {"invite_code", "join_code", "access_code", "share_code",
                                        "magic_link",  "share_key", "invite_key",  "link_key"};
    static const char *const tables[] = {"invite",  "invites",  "invitation", "invitations",
                                         "voucher", "vouchers", "gift_card",  "share_link",
                                         "coupon",  "coupons",  "magic_link", "share_links"};
    const char *name = column->name;

    if (column->type.array || (!type_is_text(column->type) && column->type.kind != TYPE_UUID &&
                               column->type.kind != TYPE_BYTEA))
        return false;
    return strcmp(name, "token") == 0 || ends_with(name, "token_hash") ||
           ends_with(name, "_token") || WORD_IS_PART(name, words) ||
           (strcmp(name, "code") == 0 && WORD_IS_PART(column->table->name, tables));
}

/* `token is not null` alone: reported as a row that is merely there. */
static bool
asks_for_it(const struct branch *branch, const struct column *column)
{
    return branch->atoms.n == 1 && check_names_column(&branch->atoms.at[0], NULL, column);
}

static void
report_code(struct checker *checker, const struct grant *grant, const struct column *column,
            struct span span)
{
    struct branches seen = {0};
    struct diag *diag;

    if (!check_role_branches(grant->role, grant->table, CMD_SELECT, false, &seen))
        return;
    for (size_t i = 0; i < seen.n; i++) {
        if (check_names_caller(&seen.at[i], grant->role) || asks_for_it(&seen.at[i], column))
            continue;
        if (check_is_told(checker, span))
            return;
        diag = diag_at(span, PGS3310_OPEN_CODES,
                       "\"%s\" may list %s.%s: whoever reads it holds what it opens",
                       grant->role->name, grant->table->name, column->name);
        diag_note(diag, seen.at[i].part->span, "policy \"%s\" shows rows whoever asks",
                  seen.at[i].policy->name);
        diag_hint(diag, "let a definer function take the code and compare it; a list is for "
                        "those whose rows they are");
        return;
    }
}

/* ---- colleagues ---- */

static bool
is_sensitive(const struct column *column)
{
    static const char *const words[] = {"salary",       "wage",        "income",    "ssn",
                                        "iban",         "passport",    "tax_id",    "national_id",
                                        "dob",          "birth_date",  "diagnosis", "date_of_birth",
                                        "bank_account", "card_number", "medical",   "credit_card"};

    return !column->is_private && WORD_IS_PART(column->name, words);
}

/* Rows of others: neither the caller's own, nor for somebody in particular. */
static bool
is_for_colleagues(const struct branch *branch, const struct table *table, const struct role *role)
{
    bool tied = false;

    for (size_t i = 0; i < table->columns.n; i++) {
        enum tie tie = check_tie(branch, NULL, table->columns.at[i], role);

        if (tie == TIE_SELF)
            return false;
        tied |= tie >= TIE_LOOKUP;
    }
    return tied && !check_is_gated(branch, role);
}

static void
check_colleagues(struct checker *checker, const struct grant *grant, const struct column *column)
{
    struct branches seen = {0};
    struct diag *diag;

    if (!check_role_branches(grant->role, grant->table, CMD_SELECT, false, &seen))
        return;
    for (size_t i = 0; i < seen.n; i++) {
        if (!is_for_colleagues(&seen.at[i], grant->table, grant->role))
            continue;
        if (check_is_told(checker, grant->span))
            return;
        diag = diag_at(grant->span, PGS3314_TO_COLLEAGUES,
                       "policy \"%s\" shows rows of \"%s\" to others than their owner, and this "
                       "grant \"%s\" with them",
                       seen.at[i].policy->name, grant->table->name, column->name);
        diag_note(diag, column->span, "\"%s\" is here", column->name);
        diag_hint(diag, "list the columns of the grant; what only the owner may read stands in a "
                        "table of its own");
        return;
    }
}

void
check_codes(struct checker *checker)
{
    const struct model *model = checker->model;

    if (checker->guessing)
        return;
    for (size_t i = 0; i < model->grants.n; i++) {
        const struct grant *grant = model->grants.at[i];
        size_t n = grant->columns.n > 0 ? grant->columns.n : grant->table->columns.n;

        if (grant->command != CMD_SELECT || grant->table->is_view || !check_is_anybody(grant->role))
            continue;
        for (size_t j = 0; j < n; j++) {
            bool listed = grant->columns.n > 0;
            const struct column *column =
                listed ? grant->columns.at[j] : grant->table->columns.at[j];

            if (check_is_code(column) && !column->is_private && column->type.kind != TYPE_BYTEA)
                report_code(checker, grant, column,
                            listed ? grant->column_spans.at[j] : grant->span);
            if (!listed && is_sensitive(column))
                check_colleagues(checker, grant, column);
        }
    }
}
