//! `--dry-run` tells and changes nothing.

use std::collections::BTreeMap;

use echodesk_core::{Clock as _, SystemClock};
use echodesk_tests::demo_mailbox::{ADDRESS, MESSAGES, PASSWORD, demo_mailbox};
use echodesk_tests::sandbox::imap::{Behaviour, Mailstore, SandboxImap};

use crate::support::{Backend, World, on_both};

on_both!(leaves_database_and_server_as_they_were_to_the_byte);

fn leaves_database_and_server_as_they_were_to_the_byte(backend: Backend) {
    let store = Mailstore::with(ADDRESS, demo_mailbox(SystemClock::new().now()));
    let server = SandboxImap::start(store, Behaviour::default());
    let Some(world) = World::new(backend, &server.ca_file()) else { return };
    world.mailbox(ADDRESS, PASSWORD, server.port(), &[]);
    let (stored, mail) = (content(&world), format!("{:?}", server.store().lock()));

    let (ended, mailbox) = world.try_sync(&["--dry-run"]);
    let _ = ended.well();
    let would = mailbox["stored"].as_u64().unwrap() + mailbox["duplicate"].as_u64().unwrap();
    assert_eq!(would, MESSAGES as u64 + 1, "one lies in two folders: {mailbox:#}");
    assert_eq!(content(&world), stored);
    assert_eq!(format!("{:?}", server.store().lock()), mail);
    assert!(!server.log().iter().any(|line| line.starts_with("SELECT")), "EXAMINE only");
    assert!(!world.installation.folder.join("attachments").exists());

    // A mailbox that is known already is looked at in the same way.
    let _ = world.sync();
    server.store().lock().account(ADDRESS).set_flags("INBOX", 1, &["\\Flagged"]);
    server.store().lock().account(ADDRESS).expunge("INBOX", 2);
    let stored = content(&world);
    let (ended, mailbox) = world.try_sync(&["--dry-run"]);
    let _ = ended.well();
    assert_eq!((mailbox["stored"].as_u64(), mailbox["gone"].as_u64()), (Some(0), Some(1)), "{mailbox:#}");
    assert_eq!(content(&world), stored);
}

/// What is stored: the bytes of SQLite's files (but its shared memory, which holds no data), or all
/// rows of PostgreSQL.
fn content(world: &World) -> BTreeMap<String, Vec<u8>> {
    if let Some(dump) = world.dump() {
        assert!(dump.contains("COPY acme.social_integrations_emailconnection"), "{dump}");
        return [("dump".to_owned(), dump.into_bytes())].into();
    }
    std::fs::read_dir(world.installation.folder.join("data"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .filter(|(name, path)| path.is_file() && !name.ends_with("-shm"))
        .map(|(name, path)| (name, std::fs::read(path).unwrap()))
        .filter(|(name, bytes)| !(name.ends_with("-wal") && bytes.is_empty()))
        .collect()
}
