/* SPDX-License-Identifier: MIT */
/*
 * RateLimit-Policy and RateLimit are those of draft-ietf-httpapi-ratelimit-headers-11: a list of
 * policies by name (quota `q` within `w` seconds), and of what is left of each (`r` requests, all
 * of them again after `t` seconds).
 */
#include "rest/rates.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limit.h"
#include "http/info.h"
#include "rest/fail.h"

/* What all limits of a route say. */
struct verdict {
    struct pgs_buf policies, states;
    const struct pgs_rate *over; /* that makes the caller wait longest; NULL: none */
    int64_t wait_us;
};

static struct pgs_text
caller_of(const struct pgs_request *rq, enum pgs_rate_by by, struct pgs_address *address)
{
    *address = pgs_address_client(&pgs_request_info(rq->req)->address);
    if (by == PGS_BY_KEY)
        return rq->who.key;
    if (by == PGS_BY_USER && rq->who.session[1].len > 0)
        return rq->who.session[1];
    return (struct pgs_text){(const char *)address->bytes, sizeof(address->bytes)};
}

static int64_t
whole_seconds(int64_t us)
{
    return (us + 999999) / 1000000;
}

static void
add_item(struct pgs_buf *list, const struct pgs_rate *rate, const char *a, int64_t of_a,
         const char *b, int64_t of_b)
{
    pgs_buf_add_str(list, list->len > 0 ? ", \"" : "\"");
    pgs_buf_add_str(list, rate->name);
    pgs_buf_add_str(list, a);
    pgs_buf_add_int(list, of_a);
    pgs_buf_add_str(list, b);
    pgs_buf_add_int(list, of_b);
}

static void
count(struct pgs_request *rq, const struct pgs_rate *rate, struct verdict *verdict)
{
    struct pgs_address address;
    struct pgs_text caller = caller_of(rq, rate->by, &address);
    struct pgs_rate_state state;

    if (!pgs_rate_spend(rq->thread->rates, rate, caller, pgs_clock_us(), &state) &&
        state.wait_us > verdict->wait_us) {
        verdict->over = rate;
        verdict->wait_us = state.wait_us;
    }
    add_item(&verdict->policies, rate, "\";q=", rate->requests, ";w=", rate->seconds);
    add_item(&verdict->states, rate, "\";r=", state.remaining, ";t=", whole_seconds(state.full_us));
}

static void
add_header(struct pgs_request *rq, const char *name, struct pgs_buf *value)
{
    if (!value->failed && value->len > 0)
        pgs_reply_header(rq->req, name, value->at, value->len);
    pgs_buf_clear(value);
}

static void
fail_over(struct pgs_request *rq, const struct verdict *verdict)
{
    static const char *const bys[] = {
        [PGS_BY_ADDRESS] = "address", [PGS_BY_USER] = "user", [PGS_BY_KEY] = "key"};
    char seconds[24];
    int len =
        snprintf(seconds, sizeof(seconds), "%lld", (long long)whole_seconds(verdict->wait_us));

    pgs_limit_hit(PGS_LIMIT_RATE);
    pgs_reply_header(rq->req, "retry-after", seconds, (size_t)len);
    pgs__fail(rq, 429, "PGS105", NULL, "wait for as many seconds as Retry-After says",
              "Too many requests: %u within %u s by %s", (unsigned)verdict->over->requests,
              (unsigned)verdict->over->seconds, bys[verdict->over->by]);
}

static void
count_all(struct pgs_request *rq, const struct pgs_rate *const *rates, bool is_known,
          struct verdict *verdict)
{
    for (; rates != NULL && *rates != NULL; rates++)
        if (is_known || (*rates)->by == PGS_BY_ADDRESS)
            count(rq, *rates, verdict);
}

bool
pgs__rates_admit(struct pgs_request *rq, const struct pgs_route *route, bool is_known)
{
    const struct pgs_rate *const *own = route != NULL ? route->rates : NULL;
    const struct pgs_rate *const *common = rq->thread->app->rates;
    struct verdict verdict = {.over = NULL};

    if ((own == NULL && common == NULL) || rq->who.is_service)
        return true;
    pgs_buf_init(&verdict.policies, 0);
    pgs_buf_init(&verdict.states, 0);
    count_all(rq, own, is_known, &verdict);
    count_all(rq, common, is_known, &verdict);
    add_header(rq, "ratelimit-policy", &verdict.policies);
    add_header(rq, "ratelimit", &verdict.states);
    if (verdict.over == NULL)
        return true;
    fail_over(rq, &verdict);
    return false;
}
