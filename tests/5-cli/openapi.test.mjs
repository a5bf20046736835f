// `pgstack generate openapi`: valid OpenAPI 3.1, whatever the names are.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv from 'ajv/dist/2020.js';
import { pgstack, root } from '../lib/paths.mjs';

const documents = [join(root, 'generated/openapi.json')];
for (const name of readdirSync(join(root, 'tests/2-golden'))) {
  const path = join(root, 'tests/2-golden', name, 'out/generated/openapi.json');
  if (existsSync(path)) documents.push(path);
}

test('every document is valid, and every reference leads somewhere', async () => {
  assert.ok(documents.length > 5);
  for (const path of documents) {
    const document = JSON.parse(readFileSync(path, 'utf8'));
    const result = await new Validator().validate(structuredClone(document));
    assert.ok(result.valid, `${path}: ${JSON.stringify(result.errors)}`);
    const operations = Object.values(document.paths).flatMap((item) => Object.values(item));
    const ids = operations.map((operation) => operation.operationId);
    assert.equal(new Set(ids).size, ids.length, `${path}: operationId twice`);
    for (const { parameters = [] } of operations) {
      const names = parameters.map((p) => (p.$ref ? p.$ref.split('/').at(-1) : p.name));
      assert.equal(new Set(names).size, names.length, `${path}: a parameter twice: ${names}`);
    }
    JSON.stringify(document, (key, value) => {
      if (key === '$ref') assert.ok(value.slice(2).split('/').reduce((at, part) => at?.[part], document), `${path}: ${value}`);
      return value;
    });
    // each schema is one that JSON Schema 2020-12 takes
    const ajv = new Ajv({ strict: false, validateFormats: false });
    ajv.addSchema(document, 'doc');
    for (const name of Object.keys(document.components.schemas)) ajv.compile({ $ref: `doc#/components/schemas/${name}` });
  }
});

test('the root application', () => {
  const { stdout } = spawnSync(pgstack, ['generate', 'openapi', '-', '-C', root], { encoding: 'utf8' });
  assert.equal(stdout, readFileSync(join(root, 'generated/openapi.json'), 'utf8'));
  const { paths, components: { schemas } } = JSON.parse(stdout);
  assert.deepEqual(Object.keys(paths['/rest/v1/ticket_count']), ['get', 'head']);
  assert.deepEqual(Object.keys(paths['/rest/v1/rpc/team_work']), ['get', 'head', 'post']);
  assert.deepEqual(schemas.ticket.properties.due, { description: 'date', type: ['string', 'null'], format: 'date' });
  assert.deepEqual(schemas.ticket.properties.id, { description: 'bigint', type: 'integer', format: 'int64' });
  assert.deepEqual(schemas['ticket.insert'].required, ['team_id', 'title']);
  assert.ok(!('id' in schemas['ticket.insert'].properties));
  assert.deepEqual(schemas['ticket_state.labels'], { enum: ['open', 'pending', 'solved'] });
  const filters = paths['/rest/v1/ticket'].get.parameters.filter((p) => p.name).map((p) => p.name);
  assert.deepEqual(filters, ['id', 'team_id', 'author_id', 'state', 'priority', 'tags', 'created_at']);
});
