/* SPDX-License-Identifier: MIT */
/* What a caller gives to a query or a subscription: a struct, and the shape that it is read by. */
#include "emit/emit.h"

const struct column *
emit_argument(const struct param *param)
{
    struct column *column = arena_alloc(sizeof(*column));

    *column = (struct column){
        .span = param->span, .name = param->name, .number = param->number, .type = param->type};
    return column;
}

void
emit_column_array(struct out *out, const struct plan *plan, const char *name,
                  const struct column *const *columns, size_t n)
{
    out_printf(out, "static const struct pgs_column %s[] = {\n", name);
    for (size_t i = 0; i < n; i++)
        emit_column(out, plan, columns[i]);
    out_add(out, "};\n\n");
}

static void
emit_fields(struct out *out, const char *c_name, const struct params *params,
            const char *const *members)
{
    out_printf(out, "static const struct pgs_field %s_fields[] = {\n", c_name);
    for (size_t i = 0; i < params->n; i++) {
        struct words field = {0};

        words_add(&field, arena_printf("struct %s_arguments", c_name));
        words_add(&field, members[i]);
        words_add(&field, arena_printf("%s_parameters[%zu]", c_name, i));
        words_add(&field, params->at[i]->default_expr != NULL ? "PGS_OPTIONAL" : "PGS_REQUIRED");
        layout_call(out, 4, "PGS_FIELD(", &field, "),");
    }
    out_add(out, "};\n");
}

void
emit_arguments(struct out *out, const struct plan *plan, const char *c_name,
               const struct params *params, const char *const *members)
{
    VEC(const struct column *) columns = {0};
    struct words words = {0};

    out_printf(out, "struct %s_arguments {\n    unsigned char has[%zu];\n", c_name, params->n);
    for (size_t i = 0; i < params->n; i++) {
        out_printf(out, "    %s %s;\n", emit_ctype(params->at[i]->type), members[i]);
        vec_push(&columns, emit_argument(params->at[i]));
    }
    out_add(out, "};\n\n");
    emit_column_array(out, plan, arena_printf("%s_parameters", c_name), columns.at, columns.n);
    emit_fields(out, c_name, params, members);
    words_add(&words, arena_printf("struct %s_arguments", c_name));
    words_add(&words, arena_printf("%s_fields", c_name));
    layout_assign(out, arena_printf("static const struct pgs_shape %s_shape", c_name), "PGS_SHAPE(",
                  &words);
    out_add(out, "\n");
}
