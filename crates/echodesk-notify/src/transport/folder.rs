//! Mails as files, one each: for development, and for installations that hand them on by other means.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::mail::Mail;
use crate::ports::{SendError, Session, Transport, TransportDown};

/// A folder of `.eml` files, named by their Message-IDs: a mail that is repeated replaces its own file.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// A folder, which is made if it is not there.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Tries whether files can be written there, and leaves nothing behind. A folder that is not there yet is not
    /// made: the one that it would be made in is tried.
    ///
    /// # Errors
    /// They cannot, in the system's words.
    pub fn probe(&self) -> Result<(), TransportDown> {
        let existing = self.path.ancestors().find(|path| path.exists());
        // A relative path begins in the working folder.
        let folder = existing.filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let tried = NamedTempFile::new_in(folder).and_then(NamedTempFile::close);
        tried.map_err(|error| TransportDown(self.in_words(&error)))
    }

    fn in_words(&self, error: &io::Error) -> String {
        format!("cannot write to the folder {}: {error}", self.path.display())
    }
}

impl Transport for Folder {
    type Session = Self;

    async fn connect(&self) -> Result<Self, TransportDown> {
        let path = self.path.clone();
        let made = off_thread(move || std::fs::create_dir_all(path)).await;
        made.map_err(|error| TransportDown(self.in_words(&error)))?;
        Ok(self.clone())
    }
}

impl Session for Folder {
    async fn send(&mut self, mail: &Mail) -> Result<(), SendError> {
        let (folder, name, bytes) = (self.path.clone(), file_name(&mail.message_id), mail.bytes.clone());
        let written = off_thread(move || write(&folder, &name, &bytes)).await;
        written.map_err(|error| SendError::Down(self.in_words(&error)))
    }

    async fn quit(self) {}
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Whole or not at all, also after a power cut: who reads the folder never sees half a mail.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(folder.join(name)).map_err(|error| error.error)?;
    std::fs::File::open(folder)?.sync_all()
}

/// What stands before the `@`, as far as it is harmless in a file name.
fn file_name(message_id: &str) -> String {
    let local = message_id.trim_start_matches('<').split('@').next().unwrap_or_default();
    let harmless = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    let name: String = local.chars().map(harmless).take(200).collect();
    format!("{}.eml", name.trim_start_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(message_id: &str, body: &str) -> Mail {
        Mail {
            from: "a@a.example".to_owned(),
            to: "b@b.example".to_owned(),
            message_id: message_id.to_owned(),
            bytes: body.as_bytes().to_vec(),
        }
    }

    #[tokio::test]
    async fn a_repeat_replaces_its_own_file_and_nothing_else_is_left_behind() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("out/box");
        let mut session = Folder::new(&path).connect().await.unwrap();
        session.send(&mail("<one.1@x>", "first")).await.unwrap();
        session.send(&mail("<two.2@x>", "second")).await.unwrap();
        session.send(&mail("<one.1@x>", "first again")).await.unwrap();
        let mut names: Vec<_> =
            std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, ["one.1.eml", "two.2.eml"]);
        assert_eq!(std::fs::read_to_string(path.join("one.1.eml")).unwrap(), "first again");
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_is_down_and_says_which() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let down = Folder::new(&file.path().join("box")).connect().await.unwrap_err();
        assert!(down.0.contains(&file.path().display().to_string()), "{down}");
    }

    #[test]
    fn a_probe_says_whether_files_can_be_written_and_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        Folder::new(root.path()).probe().unwrap();
        Folder::new(&root.path().join("not/yet")).probe().unwrap();
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
        Folder::new(Path::new("not-there-yet")).probe().unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        let down = Folder::new(&file.path().join("box")).probe().unwrap_err();
        assert!(down.0.contains(&file.path().display().to_string()), "{down}");
    }

    #[tokio::test]
    async fn a_folder_that_goes_away_is_down() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("box");
        let mut session = Folder::new(&path).connect().await.unwrap();
        std::fs::remove_dir(&path).unwrap();
        let error = session.send(&mail("<one@x>", "")).await.unwrap_err();
        assert!(matches!(error, SendError::Down(_)), "{error:?}");
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        for (id, name) in [
            ("<reminder.7.ab12@x>", "reminder.7.ab12.eml"),
            ("<../../etc/passwd@x>", "_.._etc_passwd.eml"),
            ("<a/b\\c\0d@x>", "a_b_c_d.eml"),
        ] {
            assert_eq!(file_name(id), name);
        }
    }
}
