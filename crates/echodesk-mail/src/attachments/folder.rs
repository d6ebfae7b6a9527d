//! A folder as a store.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use echodesk_core::SchemaName;
use url::Url;
use uuid::Uuid;

use super::{object_key, public_address};
use crate::model::ContentDigest;
use crate::ports::{AttachmentError, AttachmentStore};

/// How many files are made durable at once: they share the commits of a journalling file system.
const SYNC_THREADS: usize = 8;

/// Keeps attachments as files below a folder.
///
/// A file gets its final name only when its content is on the disk, in [`AttachmentStore::flush`]:
/// whatever bears its final name is whole, also after a power failure. Until then it has a temporary
/// name in the same folder. Below the root no symbolic link is followed.
#[derive(Debug)]
pub struct FolderStore {
    root: PathBuf,
    public_url: Option<String>,
    state: Mutex<State>,
    /// Held through a flush, so that none returns while another still works on its files.
    flushing: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// Final path and the temporary file that will become it.
    written: BTreeMap<PathBuf, PathBuf>,
    /// Folders whose entries have changed.
    folders: BTreeSet<PathBuf>,
    /// Folders that are known to exist.
    known: BTreeSet<PathBuf>,
    /// A flush that failed. What an operating system has failed to write once it may later claim to
    /// have written, so nothing is promised any more.
    failed: Option<String>,
}

impl FolderStore {
    /// A store in the folder `root`, which is made when it is first needed. URLs are `public_url`
    /// and the path below the root, or `file://` URLs without it.
    ///
    /// # Errors
    /// A relative root, and no current folder to start from.
    pub fn new(root: PathBuf, public_url: Option<String>) -> Result<Self, AttachmentError> {
        let root = std::path::absolute(&root).map_err(|error| failure(&root, &error))?;
        Ok(Self { root, public_url, state: Mutex::default(), flushing: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is one insertion: a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, error: &io::Error) -> AttachmentError {
        failure(&self.root, error)
    }

    fn refuse_after_failure(&self) -> Result<(), AttachmentError> {
        match &self.state().failed {
            None => Ok(()),
            Some(problem) => Err(AttachmentError {
                place: self.root.display().to_string(),
                problem: format!("an earlier write failed ({problem})"),
            }),
        }
    }

    /// Makes sure that the folder of `path` is there, is a folder, and will be durable.
    fn prepare(&self, tenant: &SchemaName, folder: &Path) -> io::Result<()> {
        if self.state().known.contains(folder) {
            return Ok(());
        }
        fs::create_dir_all(&self.root)?;
        let of_tenant = self.root.join(tenant.as_str());
        for folder in [of_tenant.as_path(), folder] {
            make_folder(folder)?;
        }
        let mut state = self.state();
        state.known.insert(folder.to_owned());
        // Whoever made them: their entries must be on the disk before a row points below them.
        state.folders.extend([self.root.clone(), of_tenant]);
        Ok(())
    }

    fn url(&self, key: &str, path: &Path) -> Result<String, AttachmentError> {
        match &self.public_url {
            Some(base) => Ok(public_address(base, key)),
            None => Url::from_file_path(path).map(String::from).map_err(|()| AttachmentError {
                place: self.root.display().to_string(),
                problem: "its path cannot be written as a URL".to_owned(),
            }),
        }
    }

    fn write(&self, tenant: &SchemaName, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let folder = path.parent().unwrap_or(&self.root);
        self.prepare(tenant, folder)?;
        let is_there = self.state().written.contains_key(path) || has_size(path, bytes.len());
        if !is_there {
            let temporary = folder.join(format!(".new-{}", Uuid::new_v4().simple()));
            let written = write_new(&temporary, bytes);
            if let Err(error) = written {
                // Nobody will look for it; that it cannot be removed changes nothing.
                let _ = fs::remove_file(&temporary);
                return Err(error);
            }
            if let Some(twin) = self.state().written.insert(path.to_owned(), temporary) {
                let _ = fs::remove_file(twin);
            }
        }
        self.state().folders.insert(folder.to_owned());
        Ok(())
    }
}

impl AttachmentStore for FolderStore {
    fn put(
        &self,
        tenant: &SchemaName,
        digest: &ContentDigest,
        content_type: &str,
        bytes: &[u8],
    ) -> Result<String, AttachmentError> {
        self.refuse_after_failure()?;
        let key = object_key(tenant, digest, content_type);
        let path = self.root.join(&key);
        self.write(tenant, &path, bytes).map_err(|error| self.error(&error))?;
        self.url(&key, &path)
    }

    fn flush(&self) -> Result<(), AttachmentError> {
        let _one_at_a_time = self.flushing.lock().unwrap_or_else(PoisonError::into_inner);
        self.refuse_after_failure()?;
        let (written, folders) = {
            let mut state = self.state();
            (std::mem::take(&mut state.written), std::mem::take(&mut state.folders))
        };
        let temporary: Vec<&PathBuf> = written.values().collect();
        let folders: Vec<&PathBuf> = folders.iter().collect();
        let flushed = sync_all(&temporary)
            .and_then(|()| written.iter().try_for_each(|(path, temporary)| fs::rename(temporary, path)))
            .and_then(|()| sync_all(&folders));
        flushed.map_err(|error| {
            self.state().failed = Some(error.to_string());
            self.error(&error)
        })
    }
}

impl Drop for FolderStore {
    /// What was put and never flushed is in nobody's row.
    fn drop(&mut self) {
        for temporary in self.state().written.values() {
            let _ = fs::remove_file(temporary);
        }
    }
}

fn failure(root: &Path, error: &io::Error) -> AttachmentError {
    AttachmentError { place: root.display().to_string(), problem: error.to_string() }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // A link, even to a folder, could lead anywhere.
            if fs::symlink_metadata(folder)?.is_dir() {
                return Ok(());
            }
            let message = format!("{} is not a folder", folder.display());
            Err(io::Error::new(io::ErrorKind::NotADirectory, message))
        }
        made => made,
    }
}

fn has_size(path: &Path, length: usize) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.len() == length as u64)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(bytes)
}

/// Makes files or folders durable, several at once.
fn sync_all(paths: &[&PathBuf]) -> io::Result<()> {
    let sync = |path: &&PathBuf| File::open(path)?.sync_all();
    let share = paths.len().div_ceil(SYNC_THREADS).max(1);
    if share == 1 {
        return paths.iter().try_for_each(sync);
    }
    std::thread::scope(|scope| {
        let workers: Vec<_> =
            paths.chunks(share).map(|chunk| scope.spawn(move || chunk.iter().try_for_each(sync))).collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|_| Err(io::Error::other("a thread that writes files panicked")))
        })
    })
}

#[cfg(test)]
mod tests;
