-- Who opens an account is its owner, and whom he invites joins.
set role service_role;
insert into pgstack.users (id, email) values ('11111111-1111-1111-1111-111111111111', 'a@example.com'),
  ('22222222-2222-2222-2222-222222222222', 'b@example.com');
insert into basejump.config default values;
select set_config('request.jwt.claims', '{"sub": "11111111-1111-1111-1111-111111111111", "role": "authenticated"}', false);
set role authenticated;
insert into basejump.accounts (name, slug) values ('One', 'One & only');
insert into basejump.invitations (account_role, account_id, invitation_type)
  select 'member', a.id, 'one_time' from basejump.accounts a;
set role service_role;
create temporary table invited as select token from basejump.invitations;
grant select on invited to authenticated;
select set_config('request.jwt.claims', '{"sub": "22222222-2222-2222-2222-222222222222", "role": "authenticated"}', false);
set role authenticated;
do $$
begin
  assert not exists (select 1 from basejump.accounts), 'nothing before';
  perform public.accept_invitation(token) from invited;
  assert (select slug from basejump.accounts) = 'one-only', 'the account';
  assert (select count(*) from basejump.account_user) = 2, 'both members';
end
$$;
reset role;
