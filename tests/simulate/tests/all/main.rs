mod billing_bugs;
