use sha2::{Digest, Sha256};

use super::*;

fn store() -> (tempfile::TempDir, FolderStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::new(folder.path().join("attachments"), None).unwrap();
    (folder, store)
}

fn tenant() -> SchemaName {
    "acme".parse().unwrap()
}

fn put(store: &FolderStore, bytes: &[u8]) -> Result<String, AttachmentError> {
    store.put(&tenant(), &ContentDigest(Sha256::digest(bytes).into()), "application/pdf", bytes)
}

/// Every file below `root`, with its path from there.
fn files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(root).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_flushed_attachment_is_where_its_url_says() {
    let (_folder, store) = store();
    let url = put(&store, b"hello").unwrap();
    store.flush().unwrap();
    let path = Url::parse(&url).unwrap().to_file_path().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"hello");
    // sha256sum of "hello".
    let hex = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    assert_eq!(files(&store.root), [format!("acme/2c/{hex}.pdf")]);
}

#[test]
fn a_public_address_replaces_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::new(folder.path().into(), Some("https://cdn.example.com/m/".into())).unwrap();
    let url = put(&store, b"hello").unwrap();
    assert!(url.starts_with("https://cdn.example.com/m/acme/2c/2cf24d"), "{url}");
}

#[test]
fn nothing_has_its_final_name_before_it_is_flushed() {
    let (_folder, store) = store();
    put(&store, b"one").unwrap();
    put(&store, b"one").unwrap();
    let before = files(&store.root);
    assert_eq!(before.len(), 1, "the same bytes twice are one file");
    assert!(before[0].contains(".new-"), "{before:?}");
    let root = store.root.clone();
    drop(store);
    assert!(files(&root).is_empty(), "what was never flushed is removed");
}

#[test]
fn an_existing_object_is_left_and_a_torn_one_replaced() {
    let (_folder, store) = store();
    let url = put(&store, b"hello").unwrap();
    store.flush().unwrap();
    let path = Url::parse(&url).unwrap().to_file_path().unwrap();

    fs::write(&path, b"HELLO").unwrap();
    put(&store, b"hello").unwrap();
    store.flush().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"HELLO", "same size: not written again");

    fs::write(&path, b"hel").unwrap();
    put(&store, b"hello").unwrap();
    store.flush().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"hello");
}

#[cfg(unix)]
#[test]
fn links_below_the_root_lead_nowhere() {
    let (folder, store) = store();
    let outside = folder.path().join("outside");
    fs::create_dir_all(&outside).unwrap();
    fs::create_dir_all(&store.root).unwrap();
    std::os::unix::fs::symlink(&outside, store.root.join("acme")).unwrap();
    let error = put(&store, b"hello").unwrap_err();
    assert!(error.to_string().contains("is not a folder"), "{error}");
    assert!(files(&outside).is_empty());

    // A link in place of an object is replaced, not written through.
    fs::remove_file(store.root.join("acme")).unwrap();
    let url = put(&store, b"hello").unwrap();
    let path = Url::parse(&url).unwrap().to_file_path().unwrap();
    let target = outside.join("target");
    fs::write(&target, b"HELLO").unwrap();
    std::os::unix::fs::symlink(&target, &path).unwrap();
    store.flush().unwrap();
    assert_eq!((fs::read(&target).unwrap(), fs::read(&path).unwrap()), (b"HELLO".to_vec(), b"hello".to_vec()));
}

#[test]
fn a_store_that_failed_promises_nothing_any_more() {
    let (_folder, store) = store();
    put(&store, b"hello").unwrap();
    fs::remove_dir_all(&store.root).unwrap();
    store.flush().unwrap_err();
    let error = put(&store, b"more").unwrap_err();
    assert!(error.to_string().contains("an earlier write failed"), "{error}");
    store.flush().unwrap_err();
}

#[test]
fn many_threads_share_a_store() {
    let (_folder, store) = store();
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            let store = &store;
            scope.spawn(move || {
                for number in 0..50_u8 {
                    put(store, &[number]).unwrap();
                    put(store, &[thread, number]).unwrap();
                    if number % 10 == 0 {
                        store.flush().unwrap();
                    }
                }
                store.flush().unwrap();
            });
        }
    });
    let found = files(&store.root);
    assert_eq!(found.len(), 50 + 4 * 50);
    assert!(found.iter().all(|name| !name.contains(".new-")), "{found:?}");
}
