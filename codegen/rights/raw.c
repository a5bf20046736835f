/* SPDX-License-Identifier: MIT */
/*
 * Unchecked conditions are not read, but their words are: what opens a policy is found where it
 * stands.  raw_sql.c does statements.
 */
#include "check/checker.h"

#include <ctype.h>
#include <string.h>

static bool
is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* The words of `phrase` begin at `at`, whatever stands between them is space. */
static size_t
length_of_match(const char *at, const char *end, const char *phrase)
{
    const char *start = at;

    for (; *phrase; phrase++) {
        if (*phrase == ' ') {
            if (at == end || !isspace((unsigned char)*at))
                return 0;
            while (at < end && isspace((unsigned char)*at))
                at++;
        } else if (at == end || tolower((unsigned char)*at++) != *phrase) {
            return 0;
        }
    }
    return at < end && is_word(*at) && is_word(at[-1]) ? 0 : (size_t)(at - start);
}

/* Where the phrase stands in the span; an empty span: nowhere. */
static struct span
find_phrase(struct span in, const char *phrase)
{
    const char *text = in.file->text, *end = text + in.end;

    for (const char *at = text + in.start; at < end; at++) {
        size_t len = at > text && is_word(at[-1]) ? 0 : length_of_match(at, end, phrase);

        if (len > 0)
            return (struct span){in.file, (size_t)(at - text), (size_t)(at - text) + len};
    }
    return (struct span){in.file, in.start, in.start};
}

static bool
finds(struct span in, const char *phrase, struct span *found)
{
    if (!in.file)
        return false;
    *found = find_phrase(in, phrase);
    return found->end > found->start;
}

static bool
is_only_true(const char *text)
{
    text += strspn(text, " \t\r\n(");
    return strncmp(text, "true", 4) == 0 && text[4 + strspn(text + 4, " \t\r\n)")] == '\0';
}

static void
visit_raw(const struct expr *expr, void *data)
{
    const struct policy *policy = data;
    struct span found;
    struct diag *diag;

    if (expr->kind != EXPR_RAW || !expr->text)
        return;
    if (is_only_true(expr->text)) {
        diag = diag_at(expr->span, PGS3003_POLICY_ALWAYS_TRUE,
                       "policy \"%s\" on \"%s\" is true for every row (raw SQL)", policy->name,
                       policy->table->name);
        diag_hint(diag, "name the caller; if every row is meant to be open, write `(public)`");
    } else if (finds(expr->span, "user_metadata", &found) ||
               finds(expr->span, "raw_user_meta_data", &found)) {
        diag = diag_at(found, PGS3015_CLAIM_FROM_USER,
                       "policy \"%s\" on \"%s\" decides by user_metadata, which users can change",
                       policy->name, policy->table->name);
        diag_hint(diag, "take it from app_metadata; user_metadata may be shown, never compared");
    } else if (finds(expr->span, "current_setting", &found)) {
        diag = diag_at(found, PGS3016_POLICY_READS_SETTING,
                       "policy \"%s\" on \"%s\" reads a setting, which the client may have sent",
                       policy->name, policy->table->name);
        diag_hint(diag, "declare a claim, or look the membership up");
    }
}

static bool
is_first_of_declaration(const struct policy *policy)
{
    const struct policy *const *others = policy->table->policies.at;

    for (size_t i = 0; others[i] != policy; i++)
        if (check_same_place(others[i]->span, policy->span))
            return false;
    return true;
}

static void
check_raw_policy(const struct policy *policy)
{
    if (!is_first_of_declaration(policy))
        return;
    if (policy->using_expr)
        walk_expr(policy->using_expr, visit_raw, (void *)policy);
    if (policy->check_expr && policy->check_expr != policy->using_expr)
        walk_expr(policy->check_expr, visit_raw, (void *)policy);
}

void
check_raw(struct checker *checker)
{
    for (size_t i = 0; i < checker->model->policies.n; i++)
        check_raw_policy(checker->model->policies.at[i]);
}
