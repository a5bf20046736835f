/* SPDX-License-Identifier: MIT */
#include "served/rate.h"

#include <string.h>

#include "base/arena.h"
#include "model/access.h"
#include "text/diag.h"

static const struct unit {
    const char *name;
    int seconds;
} units[] = {{"second", 1}, {"minute", 60}, {"hour", 3600}, {"day", 86400}};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
check_count(const struct ast_rate *ast)
{
    struct diag *diag;

    if (ast->requests > 0)
        return;
    diag = diag_at(ast->count_span, PGS4200_RATE_OF_NOTHING, "a limit of 0 lets nobody in");
    diag_hint(diag, "drop the endpoint or the verb, or take the grant away");
}

static bool
read_unit(const struct ast_name *name, struct rate *rate)
{
    const char *names[COUNT(units)], *near;
    struct diag *diag;

    for (size_t i = 0; i < COUNT(units); i++) {
        names[i] = units[i].name;
        if (strcmp(name->text, units[i].name) != 0)
            continue;
        rate->unit = units[i].name;
        rate->seconds = units[i].seconds;
        return true;
    }
    diag = diag_at(name->span, PGS4201_RATE_UNIT,
                   "a limit is per second, minute, hour or day, not "
                   "per \"%s\"",
                   name->text);
    near = diag_nearest(name->text, names, COUNT(names));
    if (near)
        diag_fix(diag, name->span, "%s", near);
    diag_hint(diag, "write `per minute`");
    return false;
}

static bool
read_by(const struct ast_name *name, enum rate_by *by)
{
    const char *names[RATE_BYS], *near;
    struct diag *diag;

    for (int i = 0; i < RATE_BYS; i++) {
        names[i] = rate_by_name((enum rate_by)i);
        if (strcmp(name->text, names[i]) != 0)
            continue;
        *by = (enum rate_by)i;
        return true;
    }
    diag = diag_at(name->span, PGS4202_RATE_BY, "a limit is by address, user or key, not by \"%s\"",
                   name->text);
    near = diag_nearest(name->text, names, RATE_BYS);
    if (near)
        diag_fix(diag, name->span, "%s", near);
    diag_hint(diag, "`by address` counts each client's address, `by user` each user, `by key` all "
                    "callers of a key together");
    return false;
}

/* `by user`, and what counts those who are none. */
static void
check_fallback(const struct ast_rate *ast, const struct rate *rate, enum guests guests)
{
    bool has = ast->fallback.text != NULL;
    struct diag *diag;

    if (has && (rate->by != RATE_BY_USER || strcmp(ast->fallback.text, "address") != 0)) {
        diag = diag_at(ast->fallback.span, PGS4204_RATE_FALLBACK,
                       "only `by user or address` falls back: everybody has an address and a key");
        diag_hint(diag, "write two limits where both are meant");
    } else if (has && guests == GUESTS_NONE) {
        diag = diag_at(ast->fallback.span, PGS4204_RATE_FALLBACK,
                       "whoever may ask here has a user: nobody is counted by address");
        diag_hint(diag, "write `by user`");
        diag_fix(diag, span_join(ast->by.span, ast->fallback.span), "user");
    } else if (!has && rate->by == RATE_BY_USER && guests == GUESTS_SOME) {
        diag = diag_at(ast->by.span, PGS4203_RATE_OF_GUESTS,
                       "anon may ask here, and has no user to count by");
        diag_hint(diag, "write `by user or address`, so that guests count by their addresses");
        diag_fix(diag, ast->by.span, "user or address");
    }
}

/* The same callers within the same time, said twice. */
static void
check_twice(const struct rates *rates, const struct rate *rate)
{
    struct diag *diag;

    for (size_t i = 0; i < rates->n; i++) {
        if (rates->at[i]->by != rate->by || rates->at[i]->seconds != rate->seconds)
            continue;
        diag = diag_at(rate->span, PGS4205_RATE_TWICE,
                       "two limits per %s by %s: the lower one "
                       "decides",
                       rate->unit, rate_by_name(rate->by));
        diag_note(diag, rates->at[i]->span, "the other one is here");
        diag_hint(diag, "drop one of the two");
        return;
    }
}

void
check_rates(const struct ast_rates *ast, enum guests guests, struct rates *rates)
{
    for (size_t i = 0; i < ast->n; i++) {
        struct rate *rate = arena_alloc(sizeof(*rate));
        bool ok;

        *rate = (struct rate){.span = ast->at[i]->span, .requests = ast->at[i]->requests};
        check_count(ast->at[i]);
        ok = read_unit(&ast->at[i]->unit, rate);
        if (!read_by(&ast->at[i]->by, &rate->by) || !ok)
            continue;
        rate->or_address = ast->at[i]->fallback.text != NULL;
        check_fallback(ast->at[i], rate, guests);
        check_twice(rates, rate);
        vec_push(rates, rate);
    }
}

void
check_rates_within(const struct rates *inner, const struct rates *outer)
{
    for (size_t i = 0; i < inner->n; i++)
        for (size_t j = 0; j < outer->n; j++) {
            const struct rate *in = inner->at[i], *out = outer->at[j];
            struct diag *diag;

            if (in->by != out->by || in->seconds != out->seconds || in->requests < out->requests)
                continue;
            diag = diag_at(in->span, PGS4206_RATE_NEVER_REACHED,
                           "%ld per %s are never reached: all together may have %ld", in->requests,
                           in->unit, out->requests);
            diag_note(diag, out->span, "the limit of all is here");
            diag_hint(diag, "lower this one, or drop it");
        }
}
