/* SPDX-License-Identifier: MIT */
/*
 * Each case is a query string and what was understood, written out: so a case is one line, and a
 * field that nobody looks at cannot be wrong unseen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "codec/query_string.h"
#include "runtime_heap.h"

static const char *const words[] = {
#define PGS_OPERATOR(name, word, sql) [PGS_OP_##name] = word,
    PGS_OPERATORS(PGS_OPERATOR)
#undef PGS_OPERATOR
};

static const char *const is_words[] = {
    [PGS_IS_NULL] = "null",       [PGS_IS_TRUE] = "true",         [PGS_IS_FALSE] = "false",
    [PGS_IS_UNKNOWN] = "unknown", [PGS_IS_NOT_NULL] = "not null",
};

static void
add_text(struct pgs_buf *out, const char *before, struct pgs_text text)
{
    pgs_buf_add_str(out, before);
    pgs_buf_add(out, text.at, text.len);
}

static void describe_conditions(struct pgs_buf *out, const struct pgs_condition *first);

static void
describe_condition(struct pgs_buf *out, const struct pgs_condition *condition)
{
    if (condition->negated)
        pgs_buf_add_str(out, "not ");
    if (condition->form != PGS_COMPARE) {
        pgs_buf_add_str(out, condition->form == PGS_AND ? "and(" : "or(");
        describe_conditions(out, condition->inner);
        pgs_buf_add_char(out, ')');
        return;
    }
    add_text(out, "", condition->column);
    pgs_buf_add_char(out, ' ');
    pgs_buf_add_str(out, words[condition->op]);
    if (condition->op == PGS_OP_IS) {
        pgs_buf_add_char(out, ' ');
        pgs_buf_add_str(out, is_words[condition->is]);
    } else if (condition->op == PGS_OP_IN) {
        for (size_t i = 0; i < condition->n_values; i++)
            add_text(out, i == 0 ? " <" : "|", condition->values[i]);
        pgs_buf_add_str(out, condition->n_values == 0 ? " none" : ">");
    } else {
        add_text(out, " <", condition->value);
        pgs_buf_add_char(out, '>');
    }
}

static void
describe_conditions(struct pgs_buf *out, const struct pgs_condition *first)
{
    for (const struct pgs_condition *c = first; c != NULL; c = c->next) {
        if (c != first)
            pgs_buf_add_str(out, "; ");
        describe_condition(out, c);
    }
}

static void
describe_select(struct pgs_buf *out, const struct pgs_select_item *item)
{
    add_text(out, "", item->column);
    if (item->embed)
        pgs_buf_add_str(out, "()");
    if (item->cast.len > 0)
        add_text(out, "::", item->cast);
    if (item->alias.len > 0)
        add_text(out, " as ", item->alias);
}

static void
describe_order(struct pgs_buf *out, const struct pgs_order_item *item)
{
    static const char *const nulls[] = {"", " nulls first", " nulls last"};

    add_text(out, "", item->column);
    pgs_buf_add_str(out, item->descending ? " desc" : " asc");
    pgs_buf_add_str(out, nulls[item->nulls]);
}

static void
describe_names(struct pgs_buf *out, const char *title, const struct pgs_text *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        add_text(out, i == 0 ? title : ", ", names[i]);
    if (n > 0)
        pgs_buf_add_char(out, '\n');
}

static void
describe(struct pgs_buf *out, const struct pgs_query_string *query)
{
    for (size_t i = 0; i < query->n_select; i++) {
        pgs_buf_add_str(out, i == 0 ? "select " : ", ");
        describe_select(out, &query->select[i]);
    }
    if (query->n_select > 0)
        pgs_buf_add_char(out, '\n');
    if (query->where != NULL) {
        pgs_buf_add_str(out, "where ");
        describe_conditions(out, query->where);
        pgs_buf_add_char(out, '\n');
    }
    for (size_t i = 0; i < query->n_order; i++) {
        pgs_buf_add_str(out, i == 0 ? "order " : ", ");
        describe_order(out, &query->order[i]);
    }
    if (query->n_order > 0)
        pgs_buf_add_char(out, '\n');
    if (query->limit >= 0) {
        pgs_buf_add_str(out, "limit ");
        pgs_buf_add_int(out, query->limit);
        pgs_buf_add_char(out, '\n');
    }
    if (query->offset > 0) {
        pgs_buf_add_str(out, "offset ");
        pgs_buf_add_int(out, query->offset);
        pgs_buf_add_char(out, '\n');
    }
    describe_names(out, "columns ", query->columns, query->n_columns);
    describe_names(out, "conflict ", query->on_conflict, query->n_on_conflict);
    for (size_t i = 0; i < query->n_pairs; i++) {
        add_text(out, "argument ", query->pairs[i].name);
        add_text(out, "=", query->pairs[i].value);
        pgs_buf_add_char(out, '\n');
    }
}

/* The call of the tests that have one: an argument like a column, and one like a word. */
static const struct pgs_column parameters[] = {
    PGS_COLUMN("q", "q", PGS_TEXT, "text", PGS_NULLABLE),
    PGS_COLUMN("order", "\"order\"", PGS_TEXT, "text", PGS_NULLABLE),
    PGS_COLUMN("odd.name", "\"odd.name\"", PGS_TEXT, "text", PGS_NULLABLE),
};
static const struct pgs_field parameter_fields[] = {
    {.column = &parameters[0]}, {.column = &parameters[1]}, {.column = &parameters[2]}};
static const struct pgs_shape call = {.fields = parameter_fields,
                                      .n_fields = PGS_COUNT(parameter_fields)};

/* What was understood, or `code message | details`; lines end in a newline each. */
static void
read_and_describe(struct pgs_buf *out, const char *text, size_t len, bool arguments)
{
    struct pgs_query_string query;
    struct pgs_read_error error;
    char *copy = heap_alloc(NULL, len); /* no byte behind it */

    memcpy(copy, text, len);
    if (pgs_query_string_read(copy, len, arguments ? &call : NULL, heap, &query, &error)) {
        describe(out, &query);
        return;
    }
    pgs_buf_add_str(out, error.code);
    pgs_buf_add_char(out, ' ');
    pgs_buf_add_str(out, error.message);
    if (error.details[0] != '\0') {
        pgs_buf_add_str(out, " | ");
        pgs_buf_add_str(out, error.details);
    }
    pgs_buf_add_char(out, '\n');
}

struct expectation {
    const char *text;
    const char *understood;
};

static void
expect(const struct expectation *cases, size_t n, bool arguments)
{
    for (size_t i = 0; i < n; i++) {
        struct pgs_buf out;

        pgs_buf_init(&out, 0);
        read_and_describe(&out, cases[i].text, strlen(cases[i].text), arguments);
        pgs_buf_add_char(&out, '\0');
        if (strcmp(out.at, cases[i].understood) != 0)
            fail_msg("\"%s\" gave\n%s", cases[i].text, out.at);
        pgs_buf_clear(&out);
        heap_free_all();
    }
}

#define EXPECT(cases, arguments) expect((cases), PGS_COUNT(cases), (arguments))

static void
test_select(void **state)
{
    static const struct expectation cases[] = {
        {"", ""},
        {"&", ""},
        {"select=*", "select *\n"},
        {"select=id,title", "select id, title\n"},
        {"select=id,%20title%20,*", "select id, title, *\n"},
        {"select=name:title::text,n:id", "select title::text as name, id as n\n"},
        {"select=id::text", "select id::text\n"},
        {"select=id::double+precision", "select id::double precision\n"},
        {"select=\"a,b\",\"c\\\"d\"", "select a,b, c\"d\n"},
        {"select=\"select\",\"order\"", "select select, order\n"},
        {"select=with+space,with-dash,$x,_y,%C3%A4",
         "select with space, with-dash, $x, _y, \xC3\xA4\n"},
        {"select=id,owner(id,team(name))", "select id, owner()\n"},
        {"select=o:owner!inner(id),..team!fk!left(*)", "select owner() as o, team()\n"},
        {"select=owner(\"a)b\")", "select owner()\n"},
        {"select=",
         "PGRST100 \"failed to parse select parameter ()\" (line 1, column 1) | unexpected end of "
         "input expecting field name (* or [a..z0..9_$])\n"},
        {"select=id,",
         "PGRST100 \"failed to parse select parameter (id,)\" (line 1, column 4) | unexpected end "
         "of input expecting field name (* or [a..z0..9_$])\n"},
        {"select=data-%3E%3Ename",
         "PGRST100 \"failed to parse select parameter (data->>name)\" (line 1, column 5) | a path "
         "into JSON (-> or ->>) is not supported\n"},
        {"select=id;drop",
         "PGRST100 \"failed to parse select parameter (id;drop)\" (line 1, column 3) | unexpected "
         "\";\" expecting \"::\", \",\" or end of input\n"},
        {"select=id::",
         "PGRST100 \"failed to parse select parameter (id::)\" (line 1, column 5) | unexpected end "
         "of input expecting field name (* or [a..z0..9_$])\n"},
        {"select=id::\"text\"",
         "PGRST100 \"failed to parse select parameter (id::\"text\")\" (line 1, column 5) | "
         "unexpected \"\"\" expecting letter or digit\n"},
        {"select=owner(id",
         "PGRST100 \"failed to parse select parameter (owner(id)\" (line 1, column 9) | unexpected "
         "end of input expecting \")\"\n"},
        {"select=\"id",
         "PGRST100 \"failed to parse select parameter (\"id)\" (line 1, column 4) | unexpected end "
         "of input expecting \"\\\"\"\n"},
        {"select=*id",
         "PGRST100 \"failed to parse select parameter (*id)\" (line 1, column 2) | unexpected "
         "\"i\" expecting \"::\", \",\" or end of input\n"},
        {"select=amount.sum()", "PGRST123 Use of aggregate functions is not allowed\n"},
        {"select=id&select=title", "PGRST100 parameter \"select\" is given twice\n"},
    };

    (void)state;
    EXPECT(cases, false);
}

static void
test_filters(void **state)
{
    static const struct expectation cases[] = {
        {"id=eq.1", "where id eq <1>\n"},
        {"id=eq.", "where id eq <>\n"},
        {"id=neq.1&id=gt.2&id=gte.3&id=lt.4&id=lte.5",
         "where id neq <1>; id gt <2>; id gte <3>; id lt <4>; id lte <5>\n"},
        {"title=like.*a%25b*", "where title like <%a%b%>\n"},
        {"title=ilike.A*", "where title ilike <A%>\n"},
        {"title=eq.a*b", "where title eq <a*b>\n"},
        {"title=eq.a,b)(\"c", "where title eq <a,b)(\"c>\n"},
        {"title=not.eq.x", "where not title eq <x>\n"},
        {"title=eq.not.x", "where title eq <not.x>\n"},
        {"a=is.null&b=is.not_null&c=is.TRUE&d=is.false&e=not.is.unknown",
         "where a is null; b is not null; c is true; d is false; not e is unknown\n"},
        {"id=in.(1,2,3)", "where id in <1|2|3>\n"},
        {"id=in.(1,2,3,4,5,6,7,8,9)", "where id in <1|2|3|4|5|6|7|8|9>\n"},
        {"id=not.in.(a,\"b,c\",\"d\\\"e\",\"f\\\\g\")", "where not id in <a|b,c|d\"e|f\\g>\n"},
        {"id=in.()", "where id in none\n"},
        {"id=in.(\"\")", "where id in <>\n"},
        {"id=in.(,)", "where id in <|>\n"},
        {"id=in.(a\"b,\"c\"d,+e+)", "where id in <a\"b|\"c\"d| e >\n"},
        {"id=in.+(1)+", "where id in <1>\n"},
        {"tags=cs.{a,\"b,c\"}", "where tags cs <{a,\"b,c\"}>\n"},
        {"tags=cd.{}&tags=ov.{1}", "where tags cd <{}>; tags ov <{1}>\n"},
        {"\"odd.name\"=eq.1", "where odd.name eq <1>\n"},
        {"\"order\"=eq.1&\"limit\"=eq.2", "where order eq <1>; limit eq <2>\n"},
        {"%69d=eq.%31%2B1+1", "where id eq <1+1 1>\n"},
        {"a=eq.b=c", "where a eq <b=c>\n"},
        {"xx=xx.1",
         "PGRST100 \"failed to parse filter (xx.1)\" (line 1, column 4) | unknown single value "
         "operator xx\n"},
        {"id=fts.x", "PGRST100 \"failed to parse filter (fts.x)\" (line 1, column 5) | unknown "
                     "single value operator fts\n"},
        {"id=1", "PGRST100 \"failed to parse filter (1)\" (line 1, column 1) | unexpected \"1\" "
                 "expecting \"not\" or operator (eq, gt, ...)\n"},
        {"id=", "PGRST100 \"failed to parse filter ()\" (line 1, column 1) | unexpected end of "
                "input expecting \"not\" or operator (eq, gt, ...)\n"},
        {"id=eq", "PGRST100 \"failed to parse filter (eq)\" (line 1, column 1) | unexpected \"e\" "
                  "expecting \"not\" or operator (eq, gt, ...)\n"},
        {"id=EQ.1", "PGRST100 \"failed to parse filter (EQ.1)\" (line 1, column 4) | unknown "
                    "single value operator EQ\n"},
        {"id=not.not.eq.1", "PGRST100 \"failed to parse filter (not.not.eq.1)\" (line 1, column 9)"
                            " | unknown single value operator not\n"},
        {"id=%C3%A4%C3%A4\n.1",
         "PGRST100 \"failed to parse filter (\xC3\xA4\xC3\xA4\n.1)\" (line 1, column 1) | "
         "unexpected \"\xC3\xA4\" expecting \"not\" or operator (eq, gt, ...)\n"},
        {"id=is.nul", "PGRST100 \"failed to parse filter (is.nul)\" (line 1, column 4) | "
                      "unexpected \"n\" expecting null, not_null or trilean value (unknown, true, "
                      "false)\n"},
        {"id=is.nullx", "PGRST100 \"failed to parse filter (is.nullx)\" (line 1, column 4) | "
                        "unexpected \"n\" expecting null, not_null or trilean value (unknown, "
                        "true, false)\n"},
        {"id=in.1,2", "PGRST100 \"failed to parse filter (in.1,2)\" (line 1, column 4) | "
                      "unexpected \"1\" expecting \"(\"\n"},
        {"id=in.(1,2", "PGRST100 \"failed to parse filter (in.(1,2)\" (line 1, column 8) | "
                       "unexpected end of input expecting \",\" or \")\"\n"},
        {"id=in.(1)2", "PGRST100 \"failed to parse filter (in.(1)2)\" (line 1, column 7) | "
                       "unexpected \"2\" expecting end of input\n"},
        {"owner.name=eq.x", "PGRST108 'owner' is not an embedded resource in this request | "
                            "embedded resources are not supported\n"},
        {"owner.order=id", "PGRST108 'owner' is not an embedded resource in this request | "
                           "embedded resources are not supported\n"},
        {"a->b=eq.1", "PGRST100 \"failed to parse tree path (a->b)\" (line 1, column 2) | a path "
                      "into JSON (-> or ->>) is not supported\n"},
        {"a(b=eq.1", "PGRST100 \"failed to parse tree path (a(b)\" (line 1, column 2) | "
                     "unexpected \"(\" expecting delimiter (.) or end of input\n"},
        {"id", "PGRST100 expected name=value in the URL\n"},
        {"=eq.1", "PGRST100 expected name=value in the URL\n"},
        {"id=eq.%", "PGRST100 invalid percent-escape in the URL\n"},
        {"id=eq.%4", "PGRST100 invalid percent-escape in the URL\n"},
        {"id=eq.%zz", "PGRST100 invalid percent-escape in the URL\n"},
        {"%ff=eq.1", "PGRST100 the URL is not valid UTF-8\n"},
        {"id=eq.%C3", "PGRST100 the URL is not valid UTF-8\n"},
        {"id=eq.%C0%80", "PGRST100 the URL is not valid UTF-8\n"},
        {"id=eq.%ED%A0%80", "PGRST100 the URL is not valid UTF-8\n"},
        {"id=eq.a%00b", "PGRST100 U+0000 in the URL\n"},
    };

    (void)state;
    EXPECT(cases, false);
}

static void
test_logic(void **state)
{
    static const struct expectation cases[] = {
        {"or=(a.eq.1,b.gt.2)", "where or(a eq <1>; b gt <2>)\n"},
        {"and=(a.eq.1,or(b.eq.2,c.not.is.null))",
         "where and(a eq <1>; or(b eq <2>; not c is null))\n"},
        {"not.or=(a.eq.1)&not.and=(b.eq.2)", "where not or(a eq <1>); not and(b eq <2>)\n"},
        {"or=(not.and(a.eq.1,b.eq.2),not.or(c.eq.3))",
         "where or(not and(a eq <1>; b eq <2>); not or(c eq <3>))\n"},
        {"or=(a.in.(1,\"2,3\"),b.eq.x)", "where or(a in <1|2,3>; b eq <x>)\n"},
        {"or=(a.eq.\"x,y)z\",b.eq.\"\\\"\")", "where or(a eq <x,y)z>; b eq <\">)\n"},
        {"or=(a.cs.{1,2},b.ov.{\"}\",{x,y}})", "where or(a cs <{1,2}>; b ov <{\"}\",{x,y}}>)\n"},
        {"or=(a.eq.{x,b.eq.1)", "where or(a eq <{x>; b eq <1>)\n"},
        {"or=+(+a.eq.1+,+b.eq.2)+", "where or(a eq <1 >; b eq <2>)\n"},
        {"or=(a.is.null+,b.in.(1)+)", "where or(a is null; b in <1>)\n"},
        {"or=(title.like.*x*,a.eq.)", "where or(title like <%x%>; a eq <>)\n"},
        {"or=(and.eq.1,or.eq.2,not.eq.3,order.eq.4)",
         "where or(and eq <1>; or eq <2>; not eq <3>; order eq <4>)\n"},
        {"or=(\"a,b\".eq.1,\"and\".eq.2)", "where or(a,b eq <1>; and eq <2>)\n"},
        {"or=(a.eq.1)&or=(b.eq.2)&c=eq.3", "where or(a eq <1>); or(b eq <2>); c eq <3>\n"},
        {"and=(or(or(or(or(or(or(or(a.eq.1))))))))",
         "where and(or(or(or(or(or(or(or(a eq <1>))))))))\n"},
        {"and=(or(or(or(or(or(or(or(or(a.eq.1)))))))))",
         "PGRST100 too many groups within groups: at most 8\n"},
        {"or=()", "PGRST100 \"failed to parse logic tree (())\" (line 1, column 2) | unexpected "
                  "\")\" expecting field name (* or [a..z0..9_$])\n"},
        {"or=a.eq.1", "PGRST100 \"failed to parse logic tree (a.eq.1)\" (line 1, column 1) | "
                      "unexpected \"a\" expecting \"(\"\n"},
        {"or=(a.eq.1", "PGRST100 \"failed to parse logic tree ((a.eq.1)\" (line 1, column 8) | "
                       "unexpected end of input expecting \",\" or \")\"\n"},
        {"or=(a.eq.1))", "PGRST100 \"failed to parse logic tree ((a.eq.1)))\" (line 1, column 9) "
                         "| unexpected \")\" expecting end of input\n"},
        {"or=(a.eq.1,)", "PGRST100 \"failed to parse logic tree ((a.eq.1,))\" (line 1, column 9) "
                         "| unexpected \")\" expecting field name (* or [a..z0..9_$])\n"},
        {"or=(a.xx.1)", "PGRST100 \"failed to parse logic tree ((a.xx.1))\" (line 1, column 7) | "
                        "unknown single value operator xx\n"},
        {"or=(xor(a.eq.1))", "PGRST100 \"failed to parse logic tree ((xor(a.eq.1)))\" (line 1, "
                             "column 5) | unexpected \"(\" expecting delimiter (.)\n"},
        {"or=(a.is.nope)", "PGRST100 \"failed to parse logic tree ((a.is.nope))\" (line 1, column "
                           "7) | unexpected \"n\" expecting null, not_null or trilean value "
                           "(unknown, true, false)\n"},
        {"owner.or=(a.eq.1)", "PGRST108 'owner' is not an embedded resource in this request | "
                              "embedded resources are not supported\n"},
    };

    (void)state;
    EXPECT(cases, false);
}

static void
test_order_and_pages(void **state)
{
    static const struct expectation cases[] = {
        {"order=id", "order id asc\n"},
        {"order=id.desc,title.asc.nullsfirst,state.nullslast",
         "order id desc, title asc nulls first, state asc nulls last\n"},
        {"order=+id.desc+,+\"a.b\".desc.nullslast", "order id desc, a.b desc nulls last\n"},
        {"order=id.descc", "PGRST100 \"failed to parse order (id.descc)\" (line 1, column 4) | "
                           "unexpected \"d\" expecting \"asc\", \"desc\", \"nullsfirst\" or "
                           "\"nullslast\"\n"},
        {"order=id.asc.x", "PGRST100 \"failed to parse order (id.asc.x)\" (line 1, column 8) | "
                           "unexpected \"x\" expecting \"nullsfirst\" or \"nullslast\"\n"},
        {"order=id.nullsfirst.desc",
         "PGRST100 \"failed to parse order (id.nullsfirst.desc)\" (line 1, column 14) | unexpected "
         "\".\" expecting delimiter (.), \",\" or end of input\n"},
        {"order=owner(name)", "PGRST100 \"failed to parse order (owner(name))\" (line 1, column 6)"
                              " | an order by an embedded relation is not supported\n"},
        {"order=", "PGRST100 \"failed to parse order ()\" (line 1, column 1) | unexpected end of "
                   "input expecting field name (* or [a..z0..9_$])\n"},
        {"limit=10&offset=20", "limit 10\noffset 20\n"},
        {"limit=0", "limit 0\n"},
        {"limit=-0", "limit 0\n"},
        {"limit=9223372036854775807", "limit 9223372036854775807\n"},
        {"limit=9223372036854775808",
         "PGRST100 \"failed to parse limit (9223372036854775808)\" (line 1, column 19) | the "
         "number is too great\n"},
        {"limit=-1", "PGRST103 Requested range not satisfiable | Limit should be greater than or "
                     "equal to zero.\n"},
        {"offset=-1", "PGRST103 Requested range not satisfiable | Offset should be greater than or "
                      "equal to zero.\n"},
        {"limit=ten", "PGRST100 \"failed to parse limit (ten)\" (line 1, column 1) | unexpected "
                      "\"t\" expecting digit\n"},
        {"limit=", "PGRST100 \"failed to parse limit ()\" (line 1, column 1) | unexpected end of "
                   "input expecting digit\n"},
        {"limit=1.5", "PGRST100 \"failed to parse limit (1.5)\" (line 1, column 2) | unexpected "
                      "\".\" expecting digit\n"},
        {"limit=1&limit=2", "PGRST100 parameter \"limit\" is given twice\n"},
        {"columns=\"a\",\"b,c\",d", "columns a, b,c, d\n"},
        {"on_conflict=team_id,+name", "conflict team_id, name\n"},
        {"columns=a..b", "PGRST100 \"failed to parse columns parameter (a..b)\" (line 1, column "
                         "2) | unexpected \".\" expecting \",\" or end of input\n"},
    };

    (void)state;
    EXPECT(cases, false);
}

static void
test_arguments(void **state)
{
    static const struct expectation cases[] = {
        {"q=hello+world&n=5", "argument q=hello world\nargument n=5\n"},
        {"q=a.b&id=eq.1&limit=2", "where id eq <1>\nlimit 2\nargument q=a.b\n"},
        {"q=", "argument q=\n"},
        {"q=in.(1", "argument q=in.(1\n"},
        {"n=in.(1", "argument n=in.(1\n"},
        {"q=eq.x&n=eq.x", "where n eq <x>\nargument q=eq.x\n"},
        {"q=is.this&order=id.desc", "argument q=is.this\nargument order=id.desc\n"},
        {"%71=not.in.(1)&q.x=1", "PGRST108 'q' is not an embedded resource in this request | "
                                 "embedded resources are not supported\n"},
        {"odd.name=eq.x", "argument odd.name=eq.x\n"},
        {"\"odd.name\"=x", "argument odd.name=x\n"},
        {"order=a&order=b", "PGRST100 parameter \"order\" is given twice\n"},
        {"q=a&q=b", "PGRST100 parameter \"q\" is given twice\n"},
        {"q=a%00", "PGRST100 U+0000 in the URL\n"},
    };

    (void)state;
    EXPECT(cases, true);
}

/* `n` times `piece` between `before` and `after`. */
static void
repeat(struct pgs_buf *out, const char *before, const char *piece, size_t n, const char *after)
{
    pgs_buf_init(out, 0);
    pgs_buf_add_str(out, before);
    for (size_t i = 0; i < n; i++)
        pgs_buf_add_str(out, piece);
    pgs_buf_add_str(out, after);
}

static void
test_bounds(void **state)
{
    static const struct {
        const char *before, *piece, *after;
        size_t most;
        const char *refusal;
        bool arguments;
    } cases[] = {
        {"", "a=eq.1&", "", 100, "PGRST100 too many conditions: at most 100\n", false},
        {"", "a=eq.1&", "", 100, "PGRST100 too many conditions: at most 100\n", true},
        {"and=(a.eq.1", ",a.eq.1", ")", 98, "PGRST100 too many conditions: at most 100\n", false},
        {"a=in.(1", ",1", ")", 9999, "PGRST100 too many values: at most 10000\n", false},
        {"select=a", ",a", "", 499, "PGRST100 too many columns in select: at most 500\n", false},
        {"order=a", ",a", "", 499, "PGRST100 too many columns in order: at most 500\n", false},
        {"columns=a", ",a", "", 499, "PGRST100 too many names: at most 500\n", false},
        {"on_conflict=a", ",a", "", 499, "PGRST100 too many names: at most 500\n", false},
    };

    (void)state;
    for (size_t i = 0; i < PGS_COUNT(cases); i++) {
        for (size_t more = 0; more < 2; more++) {
            struct pgs_buf text, out;

            pgs_buf_init(&out, 0);
            repeat(&text, cases[i].before, cases[i].piece, cases[i].most + more, cases[i].after);
            read_and_describe(&out, text.at, text.len, cases[i].arguments);
            pgs_buf_add_char(&out, '\0');
            assert_int_equal(strcmp(out.at, cases[i].refusal) == 0, more);
            pgs_buf_clear(&text);
            pgs_buf_clear(&out);
            heap_free_all();
        }
    }
}

/* The empty value of a filter is a text, not the absence of one. */
static void
test_empty_value_is_not_null(void **state)
{
    struct pgs_query_string query;
    struct pgs_read_error error;

    (void)state;
    assert_true(pgs_query_string_read("a=eq.", 5, NULL, heap, &query, &error));
    assert_non_null(query.where->value.at);
    heap_free_all();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_select),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_logic),
        cmocka_unit_test(test_order_and_pages),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_empty_value_is_not_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
