// SPDX-License-Identifier: MIT
// The rows that a subscription holds.

/** The rows after a delta, where `key` names the columns that tell them apart; `rows` is left as it is. */
export function applyDelta(key, rows, delta) {
  const { inserted = [], updated = [], deleted = [], inserted_at: insertedAt, updated_at: updatedAt } = delta;
  const keyOf = (row) => JSON.stringify(key.map((name) => row[name]));
  const gone = new Set([...deleted, ...updated].map(keyOf));
  const next = rows.filter((row) => !gone.has(keyOf(row)));
  const placed = (list, places) => list.map((row, i) => ({ row, at: places?.[i] ?? Infinity }));
  const coming = [...placed(inserted, insertedAt), ...placed(updated, updatedAt)];
  coming.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  for (const { row, at } of coming) next.splice(Math.min(at, next.length), 0, row);
  return next;
}
