-- A user that signs up gets a profile and a home, past the policies of both.
set role service_role;
insert into pgstack.users (id, email) values ('11111111-1111-1111-1111-111111111111', 'a@example.com');
do $$
begin
  assert (select count(*) from public.profiles where username like 'user%') = 1, 'a profile';
  assert (select count(*) from public.workspaces where is_home) = 1, 'a home';
end
$$;
reset role;
