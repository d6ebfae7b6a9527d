-- The tables may have been EchoDesk's before us, and they hold the tenant's mail: they stay.
SELECT 1;
