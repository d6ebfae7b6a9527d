//! `--dry-run` tells and changes nothing.

use std::collections::BTreeMap;
use std::path::Path;

use echodesk_core::{Clock as _, SystemClock};
use echodesk_tests::demo_mailbox::{ADDRESS, MESSAGES, PASSWORD, demo_mailbox};
use echodesk_tests::sandbox::imap::{Behaviour, Mailstore, SandboxImap};

use crate::support::{Backend, World};

#[test]
fn leaves_database_and_server_as_they_were_to_the_byte() {
    let store = Mailstore::with(ADDRESS, demo_mailbox(SystemClock::new().now()));
    let server = SandboxImap::start(store, Behaviour::default());
    let world = World::new(Backend::Sqlite, &server.ca_file()).unwrap();
    world.mailbox(ADDRESS, PASSWORD, server.port(), &[]);
    let folder = world.installation.folder.join("data");
    let (files, mail) = (contents(&folder), format!("{:?}", server.store().lock()));

    let (ended, mailbox) = world.try_sync(&["--dry-run"]);
    let _ = ended.well();
    let would = mailbox["stored"].as_u64().unwrap() + mailbox["duplicate"].as_u64().unwrap();
    assert_eq!(would, MESSAGES as u64 + 1, "one lies in two folders: {mailbox:#}");
    assert_eq!(contents(&folder), files);
    assert_eq!(format!("{:?}", server.store().lock()), mail);
    assert!(!server.log().iter().any(|line| line.starts_with("SELECT")), "EXAMINE only");
}

/// All files of a folder but SQLite's shared memory, which holds no data.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .filter(|(name, path)| path.is_file() && !name.ends_with("-shm"))
        .map(|(name, path)| (name, std::fs::read(path).unwrap()))
        .filter(|(name, bytes)| !(name.ends_with("-wal") && bytes.is_empty()))
        .collect()
}
