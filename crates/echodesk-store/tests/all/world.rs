//! A database with one tenant and one mailbox, on either back end, and messages to put into it.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use echodesk_core::{DatabaseUrl, Language, RunId, SchemaName, Secret};
use echodesk_mail::model::{
    Address, AttachmentRef, ContentDigest, Endpoint, Fate, Flags, FolderCursor, FolderStatus, MailMessage, Mailbox,
    MailboxKey, Security, Suspect, Uid, UidSet,
};
use echodesk_mail::ports::{Batch, BatchItem, ItemContent, Lease, MailStore, Scope};
use echodesk_mail::rules::identity::Fingerprint;
use echodesk_store::{Access, NewMailbox, NewTenant, Store};
use echodesk_test_servers::postgres::Postgres;
use jiff::Timestamp;
use tempfile::TempDir;

/// Makes of one test two, one for each back end.
macro_rules! on_both {
    (fn $name:ident($world:ident) $body:block) => {
        mod $name {
            use super::*;

            fn test($world: &crate::world::World) $body

            #[test]
            fn on_postgres() {
                if let Some(world) = crate::world::World::postgres() {
                    test(&world);
                }
            }

            #[test]
            fn on_sqlite() {
                test(&crate::world::World::sqlite());
            }
        }
    };
}
pub(crate) use on_both;

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) url: DatabaseUrl,
    pub(crate) mailbox: Mailbox,
    pub(crate) lease: Lease,
    folder: Option<TempDir>,
}

impl World {
    /// `None` where PostgreSQL is not installed.
    pub(crate) fn postgres() -> Option<Self> {
        let url = empty_database()?;
        let store = Store::open(&url, Access::ReadWrite).unwrap();
        store.migrate(None).unwrap();
        Some(Self::with(store, url, None))
    }

    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url: DatabaseUrl = format!("sqlite://{}/data #1?", folder.path().display()).parse().unwrap();
        let store = Store::open(&url, Access::ReadWrite).unwrap();
        Self::with(store, url, Some(folder))
    }

    fn with(store: Store, url: DatabaseUrl, folder: Option<TempDir>) -> Self {
        store.add_tenant(&tenant("acme"), now()).unwrap();
        let connection = store.add_mailbox(&schema("acme"), &new_mailbox("info@acme.example"), now()).unwrap();
        let key = MailboxKey { schema: schema("acme"), connection };
        let mailbox = find(&store, &key);
        let lease = take(&store, &key);
        Self { store, url, mailbox, lease, folder }
    }

    pub(crate) fn is_embedded(&self) -> bool {
        self.folder.is_some()
    }

    pub(crate) fn key(&self) -> &MailboxKey {
        &self.mailbox.key
    }

    /// The mailbox as it stands now.
    pub(crate) fn read_mailbox(&self) -> Mailbox {
        find(&self.store, self.key())
    }

    pub(crate) fn another_mailbox(&self, address: &str) -> (Mailbox, Lease) {
        let connection = self.store.add_mailbox(&schema("acme"), &new_mailbox(address), now()).unwrap();
        let key = MailboxKey { schema: schema("acme"), connection };
        (find(&self.store, &key), take(&self.store, &key))
    }

    /// Stores items of a folder under UIDVALIDITY 1.
    pub(crate) fn put(&self, folder: &str, items: Vec<BatchItem>) -> Vec<Fate> {
        self.store.store(&self.mailbox, &self.lease, &batch(folder, 1, items)).unwrap()
    }

    pub(crate) fn gone(&self, folder: &str, uids: &str) -> usize {
        let uids: UidSet = uids.parse().unwrap();
        self.store.mark_gone(self.key(), &self.lease, folder, 1, Some(&uids), now()).unwrap()
    }

    /// The first column of each row as text, with NULL as `-`. The statement gives it the name `row`.
    pub(crate) fn select(&self, sql: &str) -> Vec<String> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Nullable<Text>)]
            row: Option<String>,
        }
        let rows: Vec<Row> = match &self.url {
            DatabaseUrl::Postgres { .. } => diesel::sql_query(sql).load(&mut self.raw_postgres()).unwrap(),
            DatabaseUrl::Sqlite(_) => diesel::sql_query(sql).load(&mut self.raw_sqlite()).unwrap(),
        };
        rows.into_iter().map(|row| row.row.unwrap_or_else(|| "-".to_owned())).collect()
    }

    /// `message_id folder/uid` of every row, by id.
    pub(crate) fn rows(&self) -> Vec<String> {
        self.select(
            "SELECT message_id || ' ' || folder || '/' || uid AS row FROM social_integrations_emailmessage ORDER BY id",
        )
    }

    /// `folder/uid fate` of every item.
    pub(crate) fn fates(&self) -> Vec<String> {
        self.select(
            "SELECT f.name || '/' || CAST(i.uid AS text) || ' ' || i.fate AS row FROM echodesk_mail_item i \
             JOIN echodesk_mail_folder f ON f.id = i.folder_id ORDER BY i.id",
        )
    }

    pub(crate) fn execute(&self, sql: &str) {
        match &self.url {
            DatabaseUrl::Postgres { .. } => self.raw_postgres().batch_execute(sql).unwrap(),
            DatabaseUrl::Sqlite(_) => self.raw_sqlite().batch_execute(sql).unwrap(),
        }
    }

    fn raw_postgres(&self) -> PgConnection {
        let mut connection = postgres(&self.url);
        connection.batch_execute("SET search_path TO acme, public").unwrap();
        connection
    }

    fn raw_sqlite(&self) -> SqliteConnection {
        let DatabaseUrl::Sqlite(folder) = &self.url else { panic!("not SQLite") };
        let file = |name: &str| {
            let path = folder.join(name).display().to_string();
            format!("file:{}", path.replace('#', "%23").replace('?', "%3f"))
        };
        let mut connection = SqliteConnection::establish(&file("acme.sqlite3")).unwrap();
        let attach = format!("PRAGMA busy_timeout = 5000; ATTACH '{}' AS public", file("public.sqlite3"));
        connection.batch_execute(&attach).unwrap();
        connection
    }
}

/// A fresh database on PostgreSQL; `None` where that is not installed.
pub(crate) fn empty_database() -> Option<DatabaseUrl> {
    Some(Postgres::shared()?.database().parse().unwrap())
}

/// A connection past the store.
pub(crate) fn postgres(url: &DatabaseUrl) -> PgConnection {
    let DatabaseUrl::Postgres { url, .. } = url else { panic!("not PostgreSQL") };
    PgConnection::establish(url.expose()).unwrap()
}

/// The same database as another user, whose password is his name.
pub(crate) fn as_user(url: &DatabaseUrl, user: &str) -> DatabaseUrl {
    let DatabaseUrl::Postgres { url, .. } = url else { panic!("not PostgreSQL") };
    let (_, place) = url.expose().split_once('@').unwrap();
    format!("postgres://{user}:{user}@{place}").parse().unwrap()
}

pub(crate) fn now() -> Timestamp {
    "2026-11-22T10:00:00.123456Z".parse().unwrap()
}

pub(crate) fn schema(name: &str) -> SchemaName {
    name.parse().unwrap()
}

pub(crate) fn tenant(name: &str) -> NewTenant {
    NewTenant {
        schema: schema(name),
        name: format!("Tenant {name}"),
        admin_email: format!("admin@{name}.example"),
        admin_name: "Ana".to_owned(),
        language: Language::Ka,
        domain: format!("{name}.example"),
    }
}

pub(crate) fn new_mailbox(address: &str) -> NewMailbox {
    NewMailbox {
        address: address.to_owned(),
        display_name: "Info".to_owned(),
        endpoint: Endpoint { host: "imap.acme.example".to_owned(), port: 993, security: Security::Tls },
        username: address.to_owned(),
        stored_password: Secret::new("sealed:hunter2"),
        sync_folder: "INBOX".to_owned(),
        days_back: 365,
    }
}

pub(crate) fn find(store: &Store, key: &MailboxKey) -> Mailbox {
    let tenants = store.tenants(&Scope::One(key.schema.clone())).unwrap();
    let (_, mailboxes) = tenants[0].mailboxes.as_ref().unwrap();
    mailboxes.iter().find(|mailbox| mailbox.key == *key).unwrap().clone()
}

pub(crate) fn take(store: &Store, key: &MailboxKey) -> Lease {
    let lease = Lease { holder: RunId::random(), until: "2026-11-22T11:00:00Z".parse().unwrap() };
    assert!(store.acquire(key, &lease, now()).unwrap());
    lease
}

pub(crate) fn cursor(folder: &str, uid_validity: u32) -> FolderCursor {
    FolderCursor {
        folder: folder.to_owned(),
        status: FolderStatus { uid_validity, uid_next: 100, messages: 50, highest_mod_seq: Some(7) },
        pending: "3:4,9".parse().unwrap(),
        window_start: Some("2025-11-22".parse().unwrap()),
        suspect: Some(Suspect { uid: Uid(9), deaths: 2 }),
    }
}

pub(crate) fn batch(folder: &str, uid_validity: u32, items: Vec<BatchItem>) -> Batch {
    Batch { cursor: cursor(folder, uid_validity), items, now: now() }
}

/// A message whose content is told apart by `content`.
pub(crate) fn message(message_id: &str, content: u32) -> MailMessage {
    MailMessage {
        message_id: message_id.to_owned(),
        thread_id: "0123456789abcdef".to_owned(),
        in_reply_to: String::new(),
        references: "<r@x>".to_owned(),
        from: Address { email: "nino@example.com".to_owned(), name: "ნინო".to_owned() },
        to: vec![Address { email: "info@acme.example".to_owned(), name: "Info \"A\"".to_owned() }],
        cc: Vec::new(),
        bcc: Vec::new(),
        reply_to: String::new(),
        subject: format!("subject {content}"),
        body_text: format!("text {content}"),
        body_html: String::new(),
        attachments: vec![AttachmentRef {
            filename: "a.pdf".to_owned(),
            content_type: "application/pdf".to_owned(),
            url: "attachments/ab".to_owned(),
            size: 12,
        }],
        timestamp: "2026-11-20T08:30:00Z".parse().unwrap(),
        is_from_business: false,
    }
}

pub(crate) fn fingerprint(message: &MailMessage, content: u32) -> Fingerprint {
    let mut digest = [0; 32];
    digest[..4].copy_from_slice(&content.to_be_bytes());
    Fingerprint {
        digest: ContentDigest(digest),
        from_email: message.from.email.clone(),
        subject: message.subject.clone(),
        timestamp: message.timestamp,
    }
}

pub(crate) fn item(uid: u32, message_id: &str, content: u32) -> BatchItem {
    of_message(uid, message(message_id, content), content)
}

pub(crate) fn of_message(uid: u32, message: MailMessage, content: u32) -> BatchItem {
    let fingerprint = fingerprint(&message, content);
    BatchItem {
        uid: Uid(uid),
        flags: Flags::NONE,
        size: 1234,
        content: ItemContent::Message { message: Box::new(message), fingerprint, reduced: None },
    }
}

pub(crate) fn flagged(mut item: BatchItem, flags: Flags) -> BatchItem {
    item.flags = flags;
    item
}

pub(crate) fn reduced(mut item: BatchItem, why: &str) -> BatchItem {
    if let ItemContent::Message { reduced, .. } = &mut item.content {
        *reduced = Some(why.to_owned());
    }
    item
}

pub(crate) fn unreadable(uid: u32, why: &str) -> BatchItem {
    BatchItem {
        uid: Uid(uid),
        flags: Flags::NONE,
        size: 5,
        content: ItemContent::Unreadable { reason: why.to_owned() },
    }
}
