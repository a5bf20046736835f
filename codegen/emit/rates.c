/* SPDX-License-Identifier: MIT */
/* Rate limits: all of an endpoint or a query in one table, and for each route those that hold;
 * those of all requests are the application's. */
#include "emit/emit.h"
#include "model/access.h"

static const char *const constants[] = {[RATE_BY_ADDRESS] = "PGS_BY_ADDRESS",
                                        [RATE_BY_USER] = "PGS_BY_USER",
                                        [RATE_BY_KEY] = "PGS_BY_KEY"};

/* "ticket-create-hour-user", as clients see it; "minute-address" of those of all requests. */
static const char *
policy_name(const char *c_name, const char *verb, const struct rate *rate)
{
    if (c_name == NULL)
        return arena_printf("%s-%s", rate->unit, rate_by_name(rate->by));
    return arena_printf("%s%s%s-%s-%s", c_name, verb != NULL ? "-" : "", verb != NULL ? verb : "",
                        rate->unit, rate_by_name(rate->by));
}

static void
emit_each(struct out *out, const char *c_name, const char *verb, const struct rates *rates)
{
    for (size_t i = 0; i < rates->n; i++) {
        const struct rate *rate = rates->at[i];

        layout_comment(out, 4, rate->span, "limit by", rate_by_name(rate->by));
        out_add(out, "    {\n");
        layout_member(out, 8, ".name", layout_string(policy_name(c_name, verb, rate)));
        layout_member(out, 8, ".requests", arena_printf("%ld", rate->requests));
        layout_member(out, 8, ".seconds", arena_printf("%d", rate->seconds));
        layout_member(out, 8, ".by", constants[rate->by]);
        out_add(out, "    },\n");
    }
}

static void
add_range(struct words *list, const char *c_name, size_t from, size_t n)
{
    for (size_t i = from; i < from + n; i++)
        words_add(list, arena_printf("&%s_rates[%zu]", c_name, i));
}

/* Those of the verb, then those of all. */
static void
emit_holding(struct out *out, const char *c_name, const char *method, struct words *list)
{
    words_add(list, "NULL");
    layout_list(out,
                arena_printf("static const struct pgs_rate *const %s_%s_rates[]", c_name, method),
                list);
}

void
emit_endpoint_rates(struct out *out, const struct plan_table *plan)
{
    static const char *const methods[] = {"list", "create", "update", "delete"};
    const struct endpoint *endpoint = plan->endpoint;
    size_t first[VERBS], n = endpoint->rates.n;

    for (int verb = 0; verb < VERBS; verb++) {
        first[verb] = n;
        n += endpoint->verb_rates[verb].n;
    }
    if (n == 0)
        return;
    out_printf(out, "static const struct pgs_rate %s_rates[] = {\n", plan->c_name);
    emit_each(out, plan->c_name, NULL, &endpoint->rates);
    for (int verb = 0; verb < VERBS; verb++)
        emit_each(out, plan->c_name, verb_name((enum verb)verb), &endpoint->verb_rates[verb]);
    out_add(out, "};\n");
    for (int command = 0; command < COMMANDS; command++) {
        struct words list = {0};

        if (plan->roles[command] == 0 || !plan_has_rates(endpoint, (enum command)command))
            continue;
        for (int verb = 0; verb < VERBS; verb++)
            if (verb_command((enum verb)verb) == (enum command)command)
                add_range(&list, plan->c_name, first[verb], endpoint->verb_rates[verb].n);
        add_range(&list, plan->c_name, 0, endpoint->rates.n);
        emit_holding(out, plan->c_name, methods[command], &list);
    }
    out_add(out, "\n");
}

void
emit_query_rates(struct out *out, const struct plan_query *plan)
{
    struct words list = {0};

    if (plan->query->rates.n == 0)
        return;
    out_printf(out, "static const struct pgs_rate %s_rates[] = {\n", plan->c_name);
    emit_each(out, plan->c_name, NULL, &plan->query->rates);
    out_add(out, "};\n");
    add_range(&list, plan->c_name, 0, plan->query->rates.n);
    emit_holding(out, plan->c_name, "run", &list);
    out_add(out, "\n");
}

void
emit_common_rates(struct out *out, const struct model *model)
{
    struct words list = {0};

    if (model->rates->n == 0)
        return;
    out_add(out, "static const struct pgs_rate rates[] = {\n");
    emit_each(out, NULL, NULL, model->rates);
    out_add(out, "};\n");
    for (size_t i = 0; i < model->rates->n; i++)
        words_add(&list, arena_printf("&rates[%zu]", i));
    words_add(&list, "NULL");
    layout_list(out, "static const struct pgs_rate *const common_rates[]", &list);
    out_add(out, "\n");
}
