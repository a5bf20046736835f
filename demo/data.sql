-- Demo data of the helpdesk.  `pgstack dev` loads it as the owner of the database; it may run
-- again and again.
--
--   00000000-0000-4000-8000-000000000001  ada@example.com    in Blue, on the plan "pro"
--   00000000-0000-4000-8000-000000000002  grace@example.com  in Green
--   00000000-0000-4000-8000-000000000003  linus@example.com  support, in no team

insert into pgstack.users (id, email, role, app_metadata) values
  ('00000000-0000-4000-8000-000000000001', 'ada@example.com', 'authenticated', '{"plan": "pro"}'),
  ('00000000-0000-4000-8000-000000000002', 'grace@example.com', 'authenticated', '{"plan": "free"}'),
  ('00000000-0000-4000-8000-000000000003', 'linus@example.com', 'support', '{}'),
  ('00000000-0000-4000-8000-000000000004', 'joan@example.com', 'authenticated', '{"plan": "pro"}')
on conflict do nothing;

insert into public.team (id, name, settings) values
  ('10000000-0000-4000-8000-000000000001', 'Blue', '{"color": "#1e66f5"}'),
  ('10000000-0000-4000-8000-000000000002', 'Green', '{"color": "#40a02b", "quiet": true}')
on conflict do nothing;

insert into public.member (team_id, user_id, since) values
  ('10000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001', '2024-02-01'),
  ('10000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000004', '2024-03-15'),
  ('10000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000002', '2024-02-20')
on conflict do nothing;

insert into public.ticket
  (id, team_id, author_id, title, body, state, priority, tags, due, duplicate_of, created_at)
overriding system value values
  (1, '10000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001',
   'The printer on floor 2 is on fire', 'Smoke, and a smell of toner.', 'open', 'high',
   '{printer,urgent}', '2024-06-01', null, '2024-05-30 08:15:00+00'),
  (2, '10000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000004',
   'Printer still burning', 'Same printer, more smoke.', 'pending', 'normal',
   '{printer}', null, 1, '2024-05-30 08:40:00+00'),
  (3, '10000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001',
   'Please add Joan to the mailing list', '', 'solved', 'low', '{}', null, null,
   '2024-05-28 14:00:00+00'),
  (4, '10000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000002',
   'Passwort vergessen – schon wieder', 'Größe: 8 Zeichen. "Zu kurz", sagt es.', 'open', 'normal',
   '{account,"two words"}', null, null, '2024-05-29 10:05:30.25+00'),
  (5, '10000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000002',
   'Invoice 2024-117 is wrong', 'It says 10% off, we agreed on 12.5%.', 'open', 'high',
   '{billing}', '2024-06-15', null, '2024-05-31 09:00:00+00')
on conflict do nothing;

-- Rows with given keys do not move the sequence.
select setval(pg_get_serial_sequence('public.ticket', 'id'),
              (select greatest(max(id), 100) from public.ticket));

insert into public.comment (id, ticket_id, author_id, body, internal, created_at) values
  (1, 1, '00000000-0000-4000-8000-000000000004', 'I have pulled the plug.', false,
   '2024-05-30 08:20:00+00'),
  (2, 1, '00000000-0000-4000-8000-000000000003', 'Third one this month: order another make.', true,
   '2024-05-30 09:00:00+00'),
  (3, 4, '00000000-0000-4000-8000-000000000003', 'We have reset it.', false,
   '2024-05-29 10:30:00+00')
on conflict do nothing;

select setval(pg_get_serial_sequence('public.comment', 'id'),
              (select greatest(max(id), 100) from public.comment));

insert into public.attachment (id, ticket_id, name, media_type, content, meta) values
  ('20000000-0000-4000-8000-000000000001', 1, 'smoke.txt', 'text/plain', 'not a photograph'::bytea,
   '{"pages": 1}')
on conflict do nothing;

insert into public.time_entry (ticket_id, user_id, day, minutes, rate, note) values
  (1, '00000000-0000-4000-8000-000000000001', '2024-05-30', 45, 80.00, 'Fire extinguisher'),
  (1, '00000000-0000-4000-8000-000000000001', '2024-05-31', 30, 80.00, null),
  (4, '00000000-0000-4000-8000-000000000002', '2024-05-29', 5, 62.50, null)
on conflict do nothing;

insert into public.article (slug, title, body, published, helpful, revision, updated_at) values
  ('reset-password', 'How to reset a password', 'Click "Forgotten?" and follow the mail.', true,
   0.93, 4, '2024-04-02 12:00:00+00'),
  ('printers', 'Printers and fire', 'Unplug first, then call us.', true, 0.5, 1,
   '2024-05-30 11:00:00+00'),
  ('draft-billing', 'How bills are made', 'To be written.', false, 0, 1, '2024-05-31 16:45:00+00')
on conflict do nothing;
