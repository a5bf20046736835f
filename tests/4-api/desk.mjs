// The helpdesk (the root application) with rows that tell its policies apart.
import { buildProject, openApp, users } from '../lib/app.mjs';

const teams = { red: 'aaaaaaaa-0000-4000-8000-00000000000a', blue: 'bbbbbbbb-0000-4000-8000-00000000000b', both: 'cccccccc-0000-4000-8000-00000000000c', empty: 'dddddddd-0000-4000-8000-00000000000d' };
const { ada, bob, eve } = users;

/** Who asks: credentials for HTTP, role and claims for SQL. */
export const callers = {
  anon: { http: 'anon', role: 'anon', claims: {} },
  ada: { http: { sub: ada, app_metadata: { plan: 'pro' } }, role: 'authenticated', claims: { sub: ada, role: 'authenticated', app_metadata: { plan: 'pro' } } },
  bob: { http: { sub: bob, app_metadata: { plan: 'free' } }, role: 'authenticated', claims: { sub: bob, role: 'authenticated', app_metadata: { plan: 'free' } } },
  stranger: { http: { sub: eve }, role: 'authenticated', claims: { sub: eve, role: 'authenticated' } },
  support: { http: { sub: eve, role: 'support' }, role: 'support', claims: { sub: eve, role: 'support' } },
  service: { http: 'service', role: 'service_role', claims: {} },
};

export const seed = `
insert into pgstack.users (id, email) values ('${ada}', 'ada@example.com'), ('${bob}', 'bob@example.com'), ('${eve}', 'eve@example.com');
insert into team (id, name, settings) values ('${teams.red}', 'Red', '{"colour": "red"}'), ('${teams.blue}', 'Blue', '{}'), ('${teams.both}', 'Both', '{}'), ('${teams.empty}', 'Empty', '{}');
insert into member (team_id, user_id, since) values ('${teams.red}', '${ada}', '2024-01-01'), ('${teams.both}', '${ada}', '2024-01-02'), ('${teams.blue}', '${bob}', '2024-01-03'), ('${teams.both}', '${bob}', '2024-01-04');
insert into ticket (id, team_id, author_id, title, body, state, priority, tags, due) overriding system value values
  (1, '${teams.red}',   '${ada}', 'Printer burns', 'The printer on floor two is on fire', 'open', 'high', '{fire,printer}', '2024-02-29'),
  (2, '${teams.red}',   '${bob}', 'Not in this team any more', 'Printer again', 'solved', 'low', '{}', null),
  (3, '${teams.blue}',  '${bob}', 'Blue screen', 'It is blue', 'open', 'normal', '{screen}', null),
  (4, '${teams.both}',  '${ada}', 'Shared by ada', '', 'pending', 'normal', '{}', null),
  (5, '${teams.both}',  '${bob}', 'Shared by bob', 'Both see this', 'open', 'normal', '{}', null),
  (6, '${teams.empty}', '${eve}', 'Nobody sees this', '', 'open', 'low', '{}', null);
update ticket set duplicate_of = 1 where id = 2;
insert into comment (id, ticket_id, author_id, body, internal) values
  (1, 1, '${ada}', 'Help', false), (2, 1, '${eve}', 'For us alone', true), (3, 3, '${bob}', 'Blue', false), (4, 4, '${bob}', 'On a shared one', false), (5, 6, '${ada}', 'In no team of mine', false);
insert into attachment (id, ticket_id, name, content, meta) values
  ('11111111-0000-4000-8000-000000000001', 1, 'fire.jpg', '\\x00ff10', '{"w": 1,  "h": 2}'), ('11111111-0000-4000-8000-000000000002', 3, 'blue.png', '\\x', null), ('11111111-0000-4000-8000-000000000003', 5, 'both.txt', '\\x414243', null);
insert into time_entry (ticket_id, user_id, day, minutes, rate, note) values
  (1, '${ada}', '2024-03-01', 30, 60.00, 'putting it out'), (4, '${ada}', '2024-03-02', 90, 10.50, null), (3, '${bob}', '2024-03-01', 15, 0, null), (5, '${bob}', '2024-03-03', 45, 20, 'x');
insert into article (slug, title, body, published, helpful, revision) values ('fire', 'What to do in a fire', 'Leave.', true, 0.9, 3), ('draft', 'Not yet', '', false, 0, 1), ('blue', 'Blue screens', 'Restart.', true, 0.1, 2);
select setval(pg_get_serial_sequence('ticket', 'id'), 100), setval(pg_get_serial_sequence('comment', 'id'), 100);
`;

/** What each caller sees, by key: written by hand from policies/desk.schema. */
export const visible = {
  team: { key: 'name', ada: ['Both', 'Red'], bob: ['Blue', 'Both'], stranger: [], support: ['Blue', 'Both', 'Empty', 'Red'], service: ['Blue', 'Both', 'Empty', 'Red'] },
  ticket: { key: 'id', ada: [1, 2, 4, 5], bob: [3, 4, 5], stranger: [], support: [1, 2, 3, 4, 5, 6], service: [1, 2, 3, 4, 5, 6] },
  comment: { key: 'id', ada: [1, 4], bob: [3, 4], stranger: [], support: [1, 2, 3, 4, 5], service: [1, 2, 3, 4, 5] },
  attachment: { key: 'name', ada: ['both.txt', 'fire.jpg'], bob: ['blue.png', 'both.txt'], stranger: [], support: ['blue.png', 'both.txt', 'fire.jpg'], service: ['blue.png', 'both.txt', 'fire.jpg'] },
  time_entry: { key: 'ticket_id', ada: [1, 4], bob: [], stranger: [], support: [1, 3, 4, 5], service: [1, 3, 4, 5] },
  article: { key: 'slug', anon: ['blue', 'fire'], ada: ['blue', 'fire'], bob: ['blue', 'fire'], stranger: ['blue', 'fire'], support: ['blue', 'draft', 'fire'], service: ['blue', 'draft', 'fire'] },
};

export { teams };

/** Opens it on a database of its own. */
export async function openDesk(name, { env } = {}) {
  const project = await buildProject('.');
  return openApp({ project, app: 'helpdesk', name, env, seed });
}
