//! The ordinary user that servers run as.
//!
//! PostgreSQL refuses to run as root, and Dovecot wants more users than a test should need. Where
//! the tests run as root (a container), both run as an ordinary user of the system instead.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A user of the system, by numbers and names.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Whether commands have to be told to run as this user, because we are root.
    switch: bool,
}

impl User {
    /// Ourselves, or the first of `candidates` that exists if we are root.
    pub(crate) fn ordinary(candidates: &[&str]) -> Self {
        let own = fs::metadata("/proc/self").expect("/proc is mounted");
        let (uid, gid) = (own.uid(), own.gid());
        if uid != 0 {
            let name = name_of("/etc/passwd", uid).unwrap_or_else(|| uid.to_string());
            let group = name_of("/etc/group", gid).unwrap_or_else(|| gid.to_string());
            return Self { name, group, uid, gid, switch: false };
        }
        let passwd = fs::read_to_string("/etc/passwd").expect("/etc/passwd is readable");
        candidates
            .iter()
            .find_map(|candidate| {
                let line = passwd.lines().find(|line| line.split(':').next() == Some(candidate))?;
                let mut numbers = line.split(':').skip(2).map(str::parse::<u32>);
                let (uid, gid) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
                let group = name_of("/etc/group", gid).unwrap_or_else(|| gid.to_string());
                Some(Self { name: (*candidate).to_owned(), group, uid, gid, switch: true })
            })
            .unwrap_or_else(|| panic!("none of the users {candidates:?} exists"))
    }

    /// Lets a command run as this user.
    pub(crate) fn run_as<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        if self.switch {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// A temporary folder that belongs to this user. Its path is short: Unix sockets go below it.
    pub(crate) fn temporary_folder(&self, prefix: &str) -> TempDir {
        let folder = tempfile::Builder::new().prefix(prefix).tempdir().expect("a temporary folder can be created");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("own folder");
        self.give(folder.path());
        folder
    }

    /// Hands a file or folder over to this user.
    pub(crate) fn give(&self, path: &Path) {
        if self.switch {
            chown(path, Some(self.uid), Some(self.gid)).expect("root may hand files over");
        }
    }
}

/// The name that a line `name:…:number:…` of /etc/passwd or /etc/group gives to a number.
fn name_of(file: &str, number: u32) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let number = number.to_string();
    let line = text.lines().find(|line| line.split(':').nth(2) == Some(&number))?;
    line.split(':').next().map(str::to_owned)
}
