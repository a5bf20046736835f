/* SPDX-License-Identifier: MIT */
/*
 * Conditions as C: a line a comparison, joined in the order of the policy.  What they look at has
 * local names, so that the function reads like its condition.
 */
#include <string.h>

#include "emit/match.h"
#include "plan/names.h"

#define MAX_INNER 56 /* of an expression inside of a call; a longer one gets a variable */

struct writing {
    struct out *out;
    const struct plan *plan;
    const struct match *match;
    struct words taken;
    VEC(const char *) facts;   /* local names, by fact; NULL: not used */
    VEC(const char *) columns; /* beside match->needed */
    int n_more;
};

/* ---- what is looked at ---- */

static void
use_operand(struct writing *w, const struct operand *operand)
{
    if (operand->kind == OPERAND_FACT && w->facts.at[operand->fact] == NULL)
        w->facts.at[operand->fact] =
            plan_local_name("asked", w->match->facts.at[operand->fact].name, &w->taken);
    for (size_t i = 0; operand->kind == OPERAND_COLUMN && i < w->match->needed.n; i++)
        if (w->match->needed.at[i] == operand->column && w->columns.at[i] == NULL)
            w->columns.at[i] = plan_local_name("row", operand->column->name, &w->taken);
}

static void
use_term(struct writing *w, const struct term *term)
{
    for (size_t i = 0; i < term->operands.n; i++)
        use_operand(w, &term->operands.at[i]);
    for (size_t i = 0; i < term->terms.n; i++)
        use_term(w, term->terms.at[i]);
}

static const char *
operand_text(const struct writing *w, const struct operand *operand)
{
    if (operand->kind == OPERAND_FACT)
        return w->facts.at[operand->fact];
    if (operand->kind == OPERAND_TEXT)
        return arena_printf("PGS_LITERAL(%s)", layout_string(operand->text));
    for (size_t i = 0;; i++)
        if (w->match->needed.at[i] == operand->column)
            return w->columns.at[i];
}

/* ---- terms ---- */

static const char *write_term(struct writing *w, const struct term *term);

/* "    NAME = CALL(a, b);" */
static void
write_call(struct writing *w, const char *name, const char *call, const char *a, const char *b)
{
    struct words words = {0};

    words_add(&words, a);
    words_add(&words, b);
    layout_call(w->out, 4, arena_printf("%s = %s(", name, call), &words, ");");
}

static void
write_predicate(struct writing *w, const struct term *term)
{
    out_printf(w->out, "    /* %s */\n", out_plain(term->predicate->name));
}

static const char *
new_variable(struct writing *w)
{
    return plan_local_name("more", arena_printf("part_%d", ++w->n_more), &w->taken);
}

/* "    enum pgs_truth NAME = TEXT;" */
static void
write_first(struct writing *w, const char *name, const char *text)
{
    const char *line = arena_printf("    enum pgs_truth %s = %s;", name, text);

    if (strlen(line) > OUT_COLUMNS)
        line = arena_printf("    enum pgs_truth %s =\n        %s;", name, text);
    out_printf(w->out, "%s\n", line);
}

/* Short enough to stand inside of a call. */
static const char *
inner(struct writing *w, const char *text)
{
    const char *name;

    if (strlen(text) <= MAX_INNER)
        return text;
    name = new_variable(w);
    write_first(w, name, text);
    return name;
}

/* Joins the sides of a term to NAME, those of a list in it one by one. */
static void
write_sides(struct writing *w, const struct term *term, enum term_kind kind, const char *name,
            bool *first)
{
    const char *text;

    if (term->kind == kind) {
        if (term->predicate != NULL)
            write_predicate(w, term);
        for (size_t i = 0; i < term->terms.n; i++)
            write_sides(w, term->terms.at[i], kind, name, first);
        return;
    }
    text = write_term(w, term);
    if (*first)
        write_first(w, name, text);
    else
        write_call(w, name, kind == TERM_AND ? "pgs_and" : "pgs_or", name, inner(w, text));
    *first = false;
}

/* a and b and c, one after the other */
static const char *
write_chain(struct writing *w, const struct term *term)
{
    const char *name = new_variable(w);
    bool first = true;

    for (size_t i = 0; i < term->terms.n; i++)
        write_sides(w, term->terms.at[i], term->kind, name, &first);
    return name;
}

static const char *
write_has(struct writing *w, const struct term *term)
{
    struct words words = {0};
    const char *name;

    if (term->operands.n == 1)
        return arena_printf("pgs_truth_of(pgs_set_has(facts->sets[%zu], &%s, 1))", term->set,
                            operand_text(w, &term->operands.at[0]));
    name = new_variable(w);
    for (size_t i = 0; i < term->operands.n; i++)
        words_add(&words, operand_text(w, &term->operands.at[i]));
    out_printf(w->out, "    const struct pgs_text %s[] = {%s};\n", name, words_join(&words, ", "));
    return arena_printf("pgs_truth_of(pgs_set_has(facts->sets[%zu], %s, %zu))", term->set, name,
                        term->operands.n);
}

static const char *
compared(const struct writing *w, const struct term *term, const char *call)
{
    const char *a = operand_text(w, &term->operands.at[0]);

    return arena_printf("%s(%s, %s)", call, a, operand_text(w, &term->operands.at[1]));
}

/* Compared by the type of one that is a column of the row. */
static const char *
ordered(const struct writing *w, const struct term *term, const char *call)
{
    const struct operand *a = &term->operands.at[0], *b = &term->operands.at[1];
    const struct column *column = a->kind == OPERAND_COLUMN ? a->column : b->column;

    return arena_printf(
        "%s(&matched_%zu_types[%zu], %s, %s)", call, emit_watched_place(w->plan, column->table),
        emit_matched_place(w->plan, column), operand_text(w, a), operand_text(w, b));
}

static const char *
truth_name(enum term_kind value)
{
    return value == TERM_TRUE ? "PGS_TRUE" : value == TERM_FALSE ? "PGS_FALSE" : "PGS_UNKNOWN";
}

static const char *
write_bare(struct writing *w, const struct term *term)
{
    const char *left;

    switch (term->kind) {
    case TERM_AND:
    case TERM_OR:
        return write_chain(w, term);
    case TERM_NOT:
        return arena_printf("pgs_not(%s)", inner(w, write_term(w, term->terms.at[0])));
    case TERM_BOTH:
    case TERM_ELSE:
        left = inner(w, write_term(w, term->terms.at[0]));
        return arena_printf("%s(%s, %s)", term->kind == TERM_BOTH ? "pgs_both" : "pgs_else", left,
                            inner(w, write_term(w, term->terms.at[1])));
    case TERM_IS:
        return arena_printf("pgs_is(%s, %s)", inner(w, write_term(w, term->terms.at[0])),
                            truth_name(term->value));
    case TERM_BOOLEAN:
        return arena_printf("pgs_boolean(%s)", operand_text(w, &term->operands.at[0]));
    case TERM_NULL:
        return arena_printf("pgs_is_null(%s)", operand_text(w, &term->operands.at[0]));
    case TERM_EQUAL:
        return compared(w, term, "pgs_equal");
    case TERM_SAME:
        return compared(w, term, "pgs_same");
    case TERM_LESS:
        return ordered(w, term, "pgs_less");
    case TERM_LESS_EQUAL:
        return ordered(w, term, "pgs_less_equal");
    case TERM_HAS:
        return write_has(w, term);
    case TERM_CONTAINS:
        return arena_printf("pgs_set_contains(facts->sets[%zu], %s)", term->set,
                            operand_text(w, &term->operands.at[0]));
    case TERM_TRUE:
    case TERM_FALSE:
    case TERM_UNKNOWN:
        break;
    }
    return truth_name(term->kind);
}

static const char *
write_term(struct writing *w, const struct term *term)
{
    if (term->predicate != NULL)
        write_predicate(w, term);
    return write_bare(w, term);
}

/* ---- the function ---- */

static void
use_all(struct writing *w)
{
    const struct match *match = w->match;

    for (size_t i = 0; i < match->where.n; i++)
        use_term(w, match->where.at[i].term);
    for (size_t i = 0; i < match->permissive.n; i++)
        use_term(w, match->permissive.at[i].term);
    for (size_t i = 0; i < match->restrictive.n; i++)
        use_term(w, match->restrictive.at[i].term);
}

static bool
term_asks(const struct term *term)
{
    bool asks = term->kind == TERM_HAS || term->kind == TERM_CONTAINS;

    for (size_t i = 0; i < term->terms.n; i++)
        asks |= term_asks(term->terms.at[i]);
    return asks;
}

static bool
asks_sets(const struct match *match)
{
    bool asks = false;

    for (size_t i = 0; i < match->where.n; i++)
        asks |= term_asks(match->where.at[i].term);
    for (size_t i = 0; i < match->permissive.n; i++)
        asks |= term_asks(match->permissive.at[i].term);
    for (size_t i = 0; i < match->restrictive.n; i++)
        asks |= term_asks(match->restrictive.at[i].term);
    return asks;
}

static void
write_locals(struct writing *w)
{
    bool row = false, facts = asks_sets(w->match);

    for (size_t i = 0; i < w->columns.n; i++) {
        if (w->columns.at[i] == NULL)
            continue;
        out_printf(w->out, "    struct pgs_text %s = row[%zu];\n", w->columns.at[i],
                   emit_matched_place(w->plan, w->match->needed.at[i]));
        row = true;
    }
    for (size_t i = 0; i < w->facts.n; i++) {
        if (w->facts.at[i] == NULL)
            continue;
        out_printf(w->out, "    struct pgs_text %s = facts->values[%zu];\n", w->facts.at[i], i);
        facts = true;
    }
    if (row || facts)
        out_add(w->out, "\n");
    if (!row)
        out_add(w->out, "    (void)row;\n");
    if (!facts)
        out_add(w->out, "    (void)facts;\n");
}

static void
write_condition(struct writing *w, const struct match_condition *condition, const char *name,
                enum term_kind kind, bool *first)
{
    if (condition->policy != NULL)
        out_printf(w->out, "    /* policy %s */\n", out_plain(condition->policy->name));
    write_sides(w, condition->term, kind, name, first);
}

/* One of them lets the row be seen. */
static void
write_permissive(struct writing *w, bool *first)
{
    const struct match *match = w->match;
    bool alone = match->permissive.n == 1, first_seen = true;

    for (size_t i = 0; i < match->permissive.n; i++)
        write_condition(w, &match->permissive.at[i], alone ? "holds" : "seen",
                        alone ? TERM_AND : TERM_OR, alone ? first : &first_seen);
    if (match->permissive.n > 1 && *first)
        out_add(w->out, "    enum pgs_truth holds = seen;\n");
    else if (match->permissive.n > 1)
        out_add(w->out, "    holds = pgs_and(holds, seen);\n");
    *first &= match->permissive.n == 0;
}

static void
write_body(struct writing *w)
{
    const struct match *match = w->match;
    bool first = true;

    for (size_t i = 0; i < match->where.n; i++)
        write_condition(w, &match->where.at[i], "holds", TERM_AND, &first);
    write_permissive(w, &first);
    for (size_t i = 0; i < match->restrictive.n; i++)
        write_condition(w, &match->restrictive.at[i], "holds", TERM_AND, &first);
    out_printf(w->out, "    return %s;\n", first ? "PGS_TRUE" : "holds");
}

void
emit_holds(struct out *out, const struct plan *plan, const struct match *match, const char *name)
{
    struct writing w = {.out = out, .plan = plan, .match = match};

    words_add(&w.taken, "row");
    words_add(&w.taken, "facts");
    words_add(&w.taken, "holds");
    words_add(&w.taken, "seen");
    for (size_t i = 0; i < match->facts.n; i++)
        vec_push(&w.facts, NULL);
    for (size_t i = 0; i < match->needed.n; i++)
        vec_push(&w.columns, NULL);
    out_printf(out,
               "/* Is a row of %s in the result, and may %s see it? */\n"
               "static enum pgs_truth\n"
               "%s(const struct pgs_text *row, const struct pgs_facts *facts)\n{\n",
               out_plain(match->row->table->name), out_plain(match->role->name), name);
    if (match->closed) {
        out_add(out, "    (void)row;\n    (void)facts;\n    return PGS_FALSE;\n}\n\n");
        return;
    }
    use_all(&w);
    write_locals(&w);
    write_body(&w);
    out_add(out, "}\n\n");
}
