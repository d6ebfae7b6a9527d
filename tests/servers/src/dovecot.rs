//! Dovecot, an IMAP server that many real mailboxes live on.

use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::certificate::Authority;
pub use crate::certificate::Shown;
use crate::missing::{find, missing, run};
use crate::process::{ServerProcess, free_port};
use crate::user::User;

/// The user that every server has.
pub const USER: &str = "user@example.com";

/// Every user's password.
pub const PASSWORD: &str = "password";

/// How messages are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// A file per message; an index that is made when a folder is opened.
    Maildir,
    /// Dovecot's own format.
    Sdbox,
}

/// What kind of server is wanted.
#[derive(Clone, Debug)]
pub struct Options {
    /// How messages are kept.
    pub storage: Storage,
    /// The certificate.
    pub certificate: Shown,
    /// Users beside [`USER`].
    pub users: Vec<String>,
    /// Lines for the end of the configuration file.
    pub further: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { storage: Storage::Sdbox, certificate: Shown::Valid, users: Vec::new(), further: String::new() }
    }
}

/// A running Dovecot.
#[derive(Debug)]
pub struct Dovecot {
    // Declared before the folder, so that the server has ended when the folder is removed.
    _process: ServerProcess,
    user: User,
    doveadm: PathBuf,
    tls_port: u16,
    starttls_port: u16,
    folder: TempDir,
}

impl Dovecot {
    /// Starts a server.
    ///
    /// # Panics
    /// It does not start; the message has its log.
    #[must_use]
    pub fn start(options: &Options) -> Option<Self> {
        let (Some(program), Some(doveadm)) = (find("dovecot", Vec::new()), find("doveadm", Vec::new())) else {
            return missing("Dovecot", "dovecot-imapd");
        };
        let version = run(Command::new(&program).arg("--version"));
        if !version.starts_with("2.3.") {
            return missing("Dovecot 2.3 (2.4 has another configuration language)", "dovecot-imapd of Debian 12");
        }
        let user = User::ordinary(&["nobody"]);
        let folder = user.temporary_folder("ed-imap-");
        let (tls_port, starttls_port) = (free_port(), free_port());
        write_files(&folder, &user, options, tls_port, starttls_port);

        let log = folder.path().join("log");
        let configuration = folder.path().join("dovecot.conf").display().to_string();
        let command = [&*program.to_string_lossy(), "-F", "-c", &configuration];
        let mut process = ServerProcess::start(&user, "TERM", folder.path(), &log, &command);
        for _ in 0..200 {
            if [tls_port, starttls_port].into_iter().all(|port| TcpStream::connect(("127.0.0.1", port)).is_ok()) {
                return Some(Self { _process: process, user, doveadm, tls_port, starttls_port, folder });
            }
            if process.ended().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("Dovecot did not start:\n{}", std::fs::read_to_string(&log).unwrap_or_default());
    }

    /// The port that speaks TLS from the first byte.
    #[must_use]
    pub fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// The port that wants STARTTLS before it lets anybody log in.
    #[must_use]
    pub fn starttls_port(&self) -> u16 {
        self.starttls_port
    }

    /// The certificate of the authority that signed the server's.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Where a user's mail is kept: folders in Maildir++ layout below it, where [`Storage::Maildir`]
    /// was chosen.
    #[must_use]
    pub fn mail_folder(&self, user: &str) -> PathBuf {
        self.folder.path().join("mail").join(user).join("mail")
    }

    /// The server's log so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Puts a message into a folder, which is created if it is missing.
    ///
    /// # Panics
    /// `doveadm` fails.
    pub fn deliver(&self, user: &str, folder: &str, message: &[u8]) {
        if folder != "INBOX" && !self.folders(user).iter().any(|name| name == folder) {
            self.doveadm(&["mailbox", "create", "-u", user, folder]);
        }
        self.with_input(&["save", "-u", user, "-m", folder], message);
    }

    /// The names of a user's folders.
    ///
    /// # Panics
    /// `doveadm` fails.
    #[must_use]
    pub fn folders(&self, user: &str) -> Vec<String> {
        self.doveadm(&["mailbox", "list", "-u", user]).lines().map(str::to_owned).collect()
    }

    /// Runs `doveadm` and returns what it printed: `["flags", "add", "-u", USER, "\\Seen", "ALL"]`,
    /// `["mailbox", "update", "-u", USER, "--uid-validity", "7", "INBOX"]`, and whatever else it can.
    ///
    /// # Panics
    /// It fails.
    pub fn doveadm(&self, arguments: &[&str]) -> String {
        self.with_input(arguments, b"")
    }

    fn with_input(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut command = Command::new(&self.doveadm);
        command
            .arg("-c")
            .arg(self.folder.path().join("dovecot.conf"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self.user.run_as(&mut command).spawn().expect("doveadm starts");
        // One that fails does not read; what it says is reported below.
        let _ = child.stdin.take().map(|mut pipe| pipe.write_all(input));
        let output = child.wait_with_output().expect("doveadm ends");
        assert!(
            output.status.success(),
            "doveadm {arguments:?} failed ({}):\n{}\nlog:\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr),
            self.log()
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Hands files that were written into [`Dovecot::mail_folder`] over to the server's user.
    ///
    /// # Panics
    /// `chown` fails.
    pub fn adopt(&self, path: &Path) {
        let owner = format!("{}:{}", self.user.uid, self.user.gid);
        run(Command::new("chown").args(["-R", &owner]).arg(path));
    }
}

fn write_files(folder: &TempDir, user: &User, options: &Options, tls_port: u16, starttls_port: u16) {
    let authority = Authority::new();
    let shown = authority.show(options.certificate);
    let users: String = std::iter::once(USER)
        .chain(options.users.iter().map(String::as_str))
        .map(|name| format!("{name}:{{PLAIN}}{PASSWORD}\n"))
        .collect();
    let path = folder.path();
    std::fs::create_dir(path.join("mail")).expect("own folder");
    user.give(&path.join("mail"));
    let configuration = configuration(path, user, options, tls_port, starttls_port);
    for (name, content) in [
        ("ca.pem", authority.pem()),
        ("certificate.pem", &shown.certificate),
        ("key.pem", &shown.key),
        ("users", &users),
        ("dovecot.conf", &configuration),
    ] {
        std::fs::write(path.join(name), content).expect("own folder");
        user.give(&path.join(name));
    }
}

/// Everything runs as one ordinary user, so nothing is chrooted and no process is set apart.
fn configuration(folder: &Path, user: &User, options: &Options, tls_port: u16, starttls_port: u16) -> String {
    let User { name, group, uid, gid, .. } = user;
    let folder = folder.display();
    let storage = match options.storage {
        Storage::Maildir => "maildir",
        Storage::Sdbox => "sdbox",
    };
    let further = &options.further;
    format!(
        r"
base_dir = {folder}/run
state_dir = {folder}/state
instance_name = {folder}
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
default_internal_user = {name}
default_internal_group = {group}
default_login_user = {name}
first_valid_uid = 1
first_valid_gid = 1
last_valid_gid = 0
mail_home = {folder}/mail/%u
mail_location = {storage}:~/mail
mail_fsync = never
mailbox_list_index = yes
mail_max_userip_connections = 100
auth_failure_delay = 0
ssl = required
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
ssl_dh =
disable_plaintext_auth = yes
auth_mechanisms = plain login
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    special_use = \Sent
  }}
  mailbox Drafts {{
    special_use = \Drafts
  }}
  mailbox Junk {{
    special_use = \Junk
  }}
  mailbox Trash {{
    special_use = \Trash
  }}
}}
service imap-login {{
  chroot =
  service_count = 0
  inet_listener imap {{
    port = {starttls_port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
{further}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_is_delivered_moved_and_listed() {
        let Some(server) = Dovecot::start(&Options::default()) else { return };
        server.deliver(USER, "INBOX", b"Subject: one\r\n\r\none\r\n");
        server.deliver(USER, "\u{10d8}\u{10dc}\u{10d1}", b"Subject: two\r\n\r\ntwo\r\n");
        assert!(server.folders(USER).contains(&"\u{10d8}\u{10dc}\u{10d1}".to_owned()));
        server.doveadm(&["move", "-u", USER, "\u{10d8}\u{10dc}\u{10d1}", "mailbox", "INBOX", "ALL"]);
        server.doveadm(&["mailbox", "update", "-u", USER, "--uid-validity", "77", "INBOX"]);
        let status = server.doveadm(&["mailbox", "status", "-u", USER, "messages uidvalidity", "*"]);
        assert!(status.lines().any(|line| line.starts_with("INBOX messages=0 uidvalidity=77")), "{status}");
        let folder = server.folder.path().to_owned();
        drop(server);
        assert!(!folder.exists(), "nothing is left");
    }

    #[test]
    fn both_ports_answer() {
        use std::io::Read as _;
        let Some(server) = Dovecot::start(&Options { storage: Storage::Maildir, ..Options::default() }) else { return };
        let mut greeting = [0; 4];
        TcpStream::connect(("127.0.0.1", server.starttls_port())).unwrap().read_exact(&mut greeting).unwrap();
        assert_eq!(&greeting, b"* OK");
        assert!(TcpStream::connect(("127.0.0.1", server.tls_port())).is_ok());
        assert!(server.ca_file().is_file());
    }
}
