/*
 * csv_lead.h - a row of a CSV file as a lead.
 *
 * The header's names are dotted fields: `company.name` makes a member `name` in an object `company`. They are compiled
 * once into a plan; each row then becomes an object tree, as if it had come as JSON, with all values texts. An empty
 * cell is an absent field, and an object without fields is absent too. Values are taken as they are, untrimmed.
 *
 * A plan is immutable and may be shared by threads.
 */
#ifndef LF_BASE_CSV_LEAD_H
#define LF_BASE_CSV_LEAD_H

#include "base/arena.h"
#include "base/csv.h"
#include "base/json.h"
#include "base/status.h"

#include <stddef.h>

struct lf_csv_plan;

/* Compiles a header; the record is not needed afterwards. Names are trimmed. INVALID_CSV for a header that has an
 * empty name (`a..b` holds one), a name twice, a field that is a value and an object at once (`company` beside
 * `company.name`), or a name nested deeper than a lead may be; OUT_OF_MEMORY. */
enum lf_status lf_csv_plan_create(const struct lf_csv_record *header, struct lf_csv_plan **ret_plan,
                                  struct lf_error *error) LF_MUST_CHECK;

/* NULL is fine. */
void lf_csv_plan_destroy(struct lf_csv_plan *plan);

/* Number of columns. */
size_t lf_csv_plan_columns(const struct lf_csv_plan *plan);

/* The trimmed name of a column (0 is the first), NUL-terminated, borrowed from the plan. */
const char *lf_csv_plan_name(const struct lf_csv_plan *plan, size_t column);

/* Makes a row a lead in the arena. Members stand in the order of the columns. INVALID_CSV for a row with too few or
 * too many cells, TOO_MANY_MEMBERS for one with more fields than a lead may have, OUT_OF_MEMORY. */
enum lf_status lf_csv_plan_lead(const struct lf_csv_plan *plan, const struct lf_csv_record *row, struct lf_arena *arena,
                                const struct lf_json **ret_lead, struct lf_error *error) LF_MUST_CHECK;

#endif
