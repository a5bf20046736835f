// The API of bench/app as it is written by hand: Fastify with response schemas, its JWT plugin with a
// cache, pg's pool, named prepared statements, and a transaction that sets role and claims.
//
//   PORT, DATABASE_URL, JWT_SECRET, WORKERS
import cluster from 'node:cluster';
import fastifyJwt from '@fastify/jwt';
import Fastify from 'fastify';
import pg from 'pg';

const { PORT, DATABASE_URL, JWT_SECRET, WORKERS = '2' } = process.env;

// What JSON has as text stays the text that PostgreSQL sends.
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => `${text.replace(' ', 'T')}:00`);
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const item = {
  type: 'object',
  properties: {
    id: { type: 'integer' }, owner_id: { type: 'string' }, title: { type: 'string' },
    body: { type: 'string' }, state: { type: 'integer' }, made_at: { type: 'string' },
  },
};
const note = {
  type: 'object',
  required: ['title'],
  properties: { title: { type: 'string' }, state: { type: 'integer', default: 0 } },
  additionalProperties: false,
};

const session = {
  name: 'session',
  text: "select set_config('role', $1, true), set_config('pgstack.uid', $2, true), set_config('pgstack.claim_plan', $3, true)",
};
const statements = {
  by_key: { name: 'by_key', text: 'select id, owner_id, title, body, state, made_at from public.item where id = $1' },
  page: { name: 'page', text: 'select id, owner_id, title, body, state, made_at from public.item order by id limit $1' },
  insert: { name: 'insert', text: 'insert into public.note (title, state) values ($1, $2)' },
  bulk: {
    name: 'bulk',
    text: 'insert into public.note (title, state) select title, state from json_to_recordset($1::json) as r(title text, state integer)',
  },
  call: { name: 'call', text: 'select public.item_title($1) as title' },
};

async function serve() {
  const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
  const app = Fastify({ logger: false });

  await app.register(fastifyJwt, { secret: JWT_SECRET, verify: { algorithms: ['HS256'], cache: true } });
  app.addHook('onRequest', async (request) => {
    if (request.url !== '/health') await request.jwtVerify();
  });

  /** One transaction under the caller's role and claims. */
  async function ask(request, statement, values) {
    const { sub, role, app_metadata } = request.user;
    const client = await pool.connect();
    try {
      await client.query('begin');
      await client.query({ ...session, values: [role, sub, app_metadata?.plan ?? ''] });
      const result = await client.query({ ...statement, values });
      await client.query('commit');
      return result.rows;
    } catch (error) {
      await client.query('rollback');
      throw error;
    } finally {
      client.release();
    }
  }

  const rows = { response: { 200: { type: 'array', items: item } } };
  app.get('/health', { schema: { response: { 200: { type: 'object', properties: { ok: { type: 'boolean' } } } } } }, async () => ({ ok: true }));
  app.get('/item/:id', { schema: { ...rows, params: { type: 'object', properties: { id: { type: 'integer' } } } } },
    (request) => ask(request, statements.by_key, [request.params.id]));
  app.get('/item', { schema: { ...rows, querystring: { type: 'object', properties: { limit: { type: 'integer', minimum: 1, maximum: 1000, default: 1000 } } } } },
    (request) => ask(request, statements.page, [request.query.limit]));
  app.post('/note', { schema: { body: note } }, async (request, reply) => {
    await ask(request, statements.insert, [request.body.title, request.body.state]);
    return reply.code(201).send();
  });
  app.post('/notes', { bodyLimit: 1 << 24, schema: { body: { type: 'array', items: note } } }, async (request, reply) => {
    await ask(request, statements.bulk, [JSON.stringify(request.body)]);
    return reply.code(201).send();
  });
  app.get('/title/:id', { schema: { response: { 200: { type: 'string' } }, params: { type: 'object', properties: { id: { type: 'integer' } } } } },
    async (request, reply) => {
      const [{ title }] = await ask(request, statements.call, [request.params.id]);
      return reply.type('application/json').serializer(JSON.stringify).send(title);
    });
  await app.listen({ host: '127.0.0.1', port: Number(PORT) });
}

if (cluster.isPrimary && Number(WORKERS) > 1) {
  for (let i = 0; i < Number(WORKERS); i++) cluster.fork();
  cluster.on('exit', () => process.exit(1));
  process.on('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers)) worker.process.kill();
    process.exit(0);
  });
} else {
  await serve();
}
