-- The table may have been EchoDesk's before us, and it holds its tenants: it stays.
SELECT 1;
