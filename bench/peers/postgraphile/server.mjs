// bench/app's tables by PostGraphile 5: amber preset, Node's own server, production mode; role and
// claims by pgSettings, tokens verified with a cache.
//
//   PORT, DATABASE_URL, JWT_SECRET, WORKERS
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { createVerifier } from 'fast-jwt';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';

const { PORT, DATABASE_URL, JWT_SECRET, WORKERS = '2' } = process.env;

const verify = createVerifier({ key: JWT_SECRET, algorithms: ['HS256'], cache: true });

/** The settings of a request's transaction. */
function settingsOf(headers) {
  const { sub, role, app_metadata } = verify((headers.authorization ?? '').replace(/^Bearer /, ''));
  return { role, 'pgstack.uid': sub, 'pgstack.claim_plan': app_metadata?.plan ?? '' };
}

const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString: DATABASE_URL, schemas: ['public'], poolConfig: { max: 10 } })],
  grafast: {
    explain: false,
    context: (ctx) => ({ pgSettings: settingsOf(ctx.node?.req.headers ?? {}) }),
  },
  grafserv: { graphiql: false, watch: false },
};

async function serve() {
  const instance = postgraphile(preset);
  const serv = instance.createServ(grafserv);
  const server = createServer();
  server.on('error', (error) => { console.error(error); process.exit(1); });
  await serv.addTo(server);
  server.listen(Number(PORT), '127.0.0.1');
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
