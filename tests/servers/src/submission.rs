//! Dovecot's submission service: a real mail server that takes mail from users over SMTP.
//!
//! It wants TLS and a password, and hands everything on to another server at once: what arrives there, it
//! has really taken. It needs no rights, no queue folder and no other mail server to be removed, as Postfix
//! and Exim would.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::certificate::{Authority, Shown};
use crate::missing::{find, missing, run};
use crate::process::{ServerProcess, free_port};
use crate::user::User;

/// The user that may send.
pub const USER: &str = "sender@example.com";

/// Its password, which has characters that programs like to trip over.
pub const PASSWORD: &str = r#"p:a s$w"ö=rd"#;

/// A running submission service.
#[derive(Debug)]
pub struct Submission {
    // Declared before the folder, so that the server has ended when the folder is removed.
    _process: ServerProcess,
    starttls_port: u16,
    tls_port: u16,
    folder: TempDir,
}

impl Submission {
    /// Starts a service that shows this certificate and hands mail on, unencrypted, to the SMTP server on
    /// this port of 127.0.0.1.
    ///
    /// # Panics
    /// It does not start; the message has its log.
    #[must_use]
    pub fn start(certificate: Shown, relay_port: u16) -> Option<Self> {
        let Some(program) = find("dovecot", Vec::new()).filter(|_| has_submission()) else {
            return missing("Dovecot's submission service", "dovecot-submissiond");
        };
        let version = run(Command::new(&program).arg("--version"));
        if !version.starts_with("2.3.") {
            return missing("Dovecot 2.3 (2.4 has another configuration language)", "dovecot-submissiond of Debian 12");
        }
        let user = User::ordinary(&["nobody"]);
        let folder = user.temporary_folder("ed-smtp-");
        let (starttls_port, tls_port) = (free_port(), free_port());
        write_files(folder.path(), &user, certificate, [starttls_port, tls_port, relay_port]);

        let log = folder.path().join("log");
        let configuration = folder.path().join("dovecot.conf").display().to_string();
        let command = [&*program.to_string_lossy(), "-F", "-c", &configuration];
        let mut process = ServerProcess::start(&user, "TERM", folder.path(), &log, &command);
        for _ in 0..200 {
            if [starttls_port, tls_port].into_iter().all(|port| TcpStream::connect(("127.0.0.1", port)).is_ok()) {
                return Some(Self { _process: process, starttls_port, tls_port, folder });
            }
            if process.ended().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("Dovecot did not start:\n{}", std::fs::read_to_string(&log).unwrap_or_default());
    }

    /// The port that wants STARTTLS before it lets anybody log in.
    #[must_use]
    pub fn starttls_port(&self) -> u16 {
        self.starttls_port
    }

    /// The port that speaks TLS from the first byte.
    #[must_use]
    pub fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// The certificate of the authority that signed the server's.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The server's log so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

/// Debian has the service in a package of its own; others build it with the rest.
fn has_submission() -> bool {
    ["/usr/lib/dovecot", "/usr/libexec/dovecot"].iter().any(|folder| Path::new(folder).join("submission").is_file())
}

fn write_files(folder: &Path, user: &User, certificate: Shown, ports: [u16; 3]) {
    let authority = Authority::new();
    let shown = authority.show(certificate);
    std::fs::create_dir(folder.join("mail")).expect("own folder");
    user.give(&folder.join("mail"));
    for (name, content) in [
        ("ca.pem", authority.pem()),
        ("certificate.pem", &shown.certificate),
        ("key.pem", &shown.key),
        // A colon ends the password in this file; in base64 there is none.
        ("users", &format!("{USER}:{{PLAIN.b64}}{PASSWORD_IN_BASE64}\n")),
        ("dovecot.conf", &configuration(folder, user, ports)),
    ] {
        std::fs::write(folder.join(name), content).expect("own folder");
        user.give(&folder.join(name));
    }
}

/// [`PASSWORD`] as the file of users has it.
const PASSWORD_IN_BASE64: &str = "cDphIHMkdyLDtj1yZA==";

/// Everything runs as one ordinary user, so nothing is chrooted and no process is set apart.
fn configuration(folder: &Path, user: &User, [starttls_port, tls_port, relay_port]: [u16; 3]) -> String {
    let User { name, group, uid, gid, .. } = user;
    let folder = folder.display();
    format!(
        r"
base_dir = {folder}/run
state_dir = {folder}/state
instance_name = {folder}
log_path = {folder}/log
protocols = submission
listen = 127.0.0.1
hostname = localhost
default_internal_user = {name}
default_internal_group = {group}
default_login_user = {name}
first_valid_uid = 1
first_valid_gid = 1
last_valid_gid = 0
mail_home = {folder}/mail/%u
mail_location = sdbox:~/mail
mail_max_userip_connections = 100
auth_failure_delay = 0
ssl = required
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
ssl_dh =
disable_plaintext_auth = yes
auth_mechanisms = plain login
submission_relay_host = 127.0.0.1
submission_relay_port = {relay_port}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service submission-login {{
  chroot =
  service_count = 0
  inet_listener submission {{
    port = {starttls_port}
  }}
  inet_listener submissions {{
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
"
    )
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn it_greets_on_one_port_and_waits_for_tls_on_the_other() {
        let Some(server) = Submission::start(Shown::Valid, 1) else { return };
        let mut greeting = [0; 4];
        TcpStream::connect(("127.0.0.1", server.starttls_port())).unwrap().read_exact(&mut greeting).unwrap();
        assert_eq!(&greeting, b"220 ");
        let mut silent = TcpStream::connect(("127.0.0.1", server.tls_port())).unwrap();
        silent.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        assert!(silent.read_exact(&mut greeting).is_err());
        assert!(server.ca_file().is_file());
        let folder = server.folder.path().to_owned();
        drop(server);
        assert!(!folder.exists(), "nothing is left");
    }
}
