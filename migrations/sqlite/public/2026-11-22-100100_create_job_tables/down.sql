DROP TABLE echodesk_notice;
DROP TABLE echodesk_run;
DROP TABLE echodesk_lease;
