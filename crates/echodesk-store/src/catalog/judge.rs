//! Whether a tenant's tables are such that mail can be stored in them.

use echodesk_mail::model::ColumnLimits;
use echodesk_mail::ports::TenantProblem;

use super::{CONNECTIONS, ECHODESK_MAIL_TABLES, MESSAGES, OWN_MAIL_TABLES, Shape, filled};

/// The column lengths of a tenant whose tables can be used, or the first reason why they cannot.
pub(crate) fn judge(schema: &str, shape: Option<&Shape>) -> Result<ColumnLimits, TenantProblem> {
    let schema = || schema.to_owned();
    let Some(shape) = shape else {
        return Err(TenantProblem::SchemaMissing { schema: schema() });
    };
    if let Some(table) = ECHODESK_MAIL_TABLES.iter().find(|table| !shape.has(table)) {
        return Err(TenantProblem::NotMigrated { schema: schema(), table: (*table).to_owned() });
    }
    for table in ECHODESK_MAIL_TABLES {
        if let Some(column) = missing_columns(shape, table).next() {
            let (table, column) = (table.to_owned(), column.to_owned());
            return Err(TenantProblem::ColumnMissing { schema: schema(), table, column });
        }
    }
    // Only messages are inserted by a sync; a mailbox's row is updated, and any column may be there.
    if let Some(column) = unknown_required(shape, MESSAGES).next() {
        let (table, column) = (MESSAGES.to_owned(), column.to_owned());
        return Err(TenantProblem::UnknownRequiredColumn { schema: schema(), table, column });
    }
    // Ours are old if a column is missing, and then it is for the same command to mend.
    let is_old = |table: &&&str| !shape.has(table) || missing_columns(shape, table).next().is_some();
    if let Some(table) = OWN_MAIL_TABLES.iter().find(is_old) {
        return Err(TenantProblem::OwnTablesMissing { schema: schema(), table: (*table).to_owned() });
    }
    Ok(limits(shape))
}

/// Columns that we write and that the table does not have.
pub(crate) fn missing_columns<'a>(shape: &'a Shape, table: &'a str) -> impl Iterator<Item = &'static str> + 'a {
    let columns = shape.columns(table);
    filled(table).iter().copied().filter(|name| !columns.iter().any(|column| column.name == *name))
}

/// Columns that every INSERT must fill and that we know nothing of.
pub(crate) fn unknown_required<'a>(shape: &'a Shape, table: &'a str) -> impl Iterator<Item = &'a str> + 'a {
    let known = filled(table);
    shape
        .columns(table)
        .iter()
        .filter(move |column| column.required && !known.contains(&column.name.as_str()))
        .map(|column| column.name.as_str())
}

fn limits(shape: &Shape) -> ColumnLimits {
    let length = |table: &str, name: &str| {
        shape.columns(table).iter().find(|column| column.name == name).and_then(|column| column.length)
    };
    // A key without a limit still has to fit into an index, and on the embedded database a message
    // is to be stored as it would be on EchoDesk's: so no limit means the usual one.
    let usual = ColumnLimits::default();
    let of_message = |name: &str, usual: usize| length(MESSAGES, name).unwrap_or(usual);
    ColumnLimits {
        message_id: of_message("message_id", usual.message_id),
        thread_id: of_message("thread_id", usual.thread_id),
        in_reply_to: of_message("in_reply_to", usual.in_reply_to),
        from_email: of_message("from_email", usual.from_email),
        from_name: of_message("from_name", usual.from_name),
        reply_to: of_message("reply_to", usual.reply_to),
        subject: of_message("subject", usual.subject),
        folder: of_message("folder", usual.folder),
        uid: of_message("uid", usual.uid),
        sync_error: length(CONNECTIONS, "last_sync_error").unwrap_or(usual.sync_error),
    }
}
