// The rows of codegen/model/catalog_*.def, for the generator: what there is to call.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../lib/paths.mjs';

function rows(kind) {
  const text = readFileSync(join(root, `codegen/model/catalog_${kind}s.def`), 'utf8');
  return [...text.matchAll(/^CATALOG_\w+\((.*)\)$/gm)].map(([, row]) =>
    [...row.matchAll(/"((?:[^"\\]|\\.)*)"|[^, "]+/g)].map(([word, text_]) =>
      text_ === undefined ? word : text_.replace(/\\(.)/g, '$1')));
}

const slots = (args) => (args ? args.split(', ') : []);
const isOld = (releases) => releases[0] !== '-';

/** Functions that wait, lock, or answer differently each time are left to people. */
const wild = /^(pg_sleep|pg_(try_)?advisory|nextval|setval|currval|lastval|setseed|has_|pg_has_role|current_schemas|pg_describe|pg_get|inet_(client|server)|pg_current|pg_is_in|pg_postmaster|timeofday|xpath|version|array_fill|repeat|lpad|rpad|unistr|pg_client|pg_char)/;

export const operators = rows('operator').map(([name, args, result]) => ({ name, args: slots(args), result }));
export const functions = rows('function')
  .filter(([name, , result, kind, , , , , releases]) => kind === "'f'" && isOld(releases) && !result.startsWith('setof ') && !wild.test(name))
  .map(([name, args, result]) => ({ name, args: slots(args), result }));
export const aggregates = rows('function')
  .filter(([, , , kind, , , , , releases]) => kind === "'a'" && isOld(releases))
  .map(([name, args, result]) => ({ name, args: slots(args), result }));
