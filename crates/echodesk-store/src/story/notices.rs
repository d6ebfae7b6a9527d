//! Notices to a tenant, with what they say.

use echodesk_core::TenantId;
use echodesk_core::notice::NoticeKind;

use super::Newest;
use crate::NoticeEntry;
use crate::connection::Connection;
use crate::error::Outcome;
use crate::notices;

/// A notice, what became of it, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeStory {
    /// What became of it.
    pub entry: NoticeEntry,
    /// What it says; none if another version has written it and this one does not know how to read it.
    pub kind: Option<NoticeKind>,
}

pub(super) fn load(connection: &mut Connection, tenant: TenantId, limit: usize) -> Outcome<Newest<NoticeStory>> {
    let found = notices::newest_of(connection, tenant, limit.saturating_add(1))?;
    let story =
        |(entry, payload): (NoticeEntry, String)| NoticeStory { entry, kind: serde_json::from_str(&payload).ok() };
    Ok(Newest::of(found.into_iter().map(story).collect(), limit))
}
