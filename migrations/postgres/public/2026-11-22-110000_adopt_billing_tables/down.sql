-- The tables may have been EchoDesk's before us, and they hold its subscriptions: they stay.
SELECT 1;
