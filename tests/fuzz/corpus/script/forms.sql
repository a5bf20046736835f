-- migrate:up transaction:false
create function f() returns int begin atomic select 1; end;
select $a$;$a$, E'\'';', ";" /* ; */ -- ;
;
-- migrate:down
drop function f();
