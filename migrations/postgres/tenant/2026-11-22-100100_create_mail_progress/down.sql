DROP TABLE echodesk_mail_item;
DROP TABLE echodesk_mail_folder;
