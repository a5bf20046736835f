-- The settings: who may set them, and when.
SELECT name, boot_val, unit, vartype, context FROM pg_settings WHERE name LIKE 'pg\_reactive.%'
  ORDER BY name;
SET pg_reactive.max_subscriptions = 1;
SET pg_reactive.async_recompute = off;
SET pg_reactive.database = 'postgres';
SET pg_reactive.notify_channel = 'mine';
SET pg_reactive.batch_invalidation = off;
RESET pg_reactive.batch_invalidation;
CREATE ROLE reactive_ann;
SET ROLE reactive_ann;
SET pg_reactive.batch_invalidation = off;
RESET ROLE;
DROP ROLE reactive_ann;
SET pg_reactive.unknown = 1;
