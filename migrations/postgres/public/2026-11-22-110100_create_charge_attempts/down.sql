DROP TABLE echodesk_invoice_month;
DROP TABLE echodesk_charge_attempt;
