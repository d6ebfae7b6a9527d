//! A server process that does not outlive us.
//!
//! A small shell stands between: it starts the server, waits on a pipe whose other end is ours, and
//! ends the server when the pipe closes, which the kernel does for us however we die. (A parent-death
//! signal would not do: it comes when the *thread* that started the child ends, and the test runner
//! gives each test a thread.)

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::user::User;

/// `$1` signal that ends the server, `$2` its folder, the rest its command. A line on the pipe ends
/// the server and keeps the folder; end of file removes the folder too.
const WATCHDOG: &str = r#"
signal=$1; folder=$2; shift 2
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
(
    if read -r line <&3; then keep=yes; else keep=; fi
    kill -s "$signal" "$server" 2>/dev/null
    tries=0
    while kill -0 "$server" 2>/dev/null && [ "$tries" -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
    kill -s KILL "$server" 2>/dev/null
    [ -n "$keep" ] || rm -rf "$folder"
) &
keeper=$!
wait "$server"
status=$?
# A server that ends by itself leaves its folder to whoever wants to read its log.
exit "$status"
"#;

/// A running server with its watchdog.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    watchdog: Child,
}

impl ServerProcess {
    /// Starts `command` as `user`. What it prints goes to the file `log`.
    pub(crate) fn start(user: &User, signal: &str, folder: &Path, log: &Path, command: &[&str]) -> Self {
        let output =
            std::fs::File::options().create(true).append(true).open(log).expect("a log file in our own folder");
        user.give(log);
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", WATCHDOG, "watchdog", signal])
            .arg(folder)
            .args(command)
            .current_dir(folder)
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(output.try_clone().expect("a second handle"))
            .stderr(output)
            // Out of reach of Ctrl-C and of a test runner that kills the group of a test that hangs.
            .process_group(0);
        let watchdog = user.run_as(&mut shell).spawn().expect("/bin/sh starts");
        Self { watchdog }
    }

    /// How the server ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.watchdog.try_wait().ok().flatten()
    }

    /// Ends the server and keeps its folder.
    pub(crate) fn stop(mut self) {
        if let Some(pipe) = self.watchdog.stdin.as_mut() {
            // A server that has ended by itself has nobody left to read this.
            let _ = pipe.write_all(b"stop\n");
        }
        let _ = self.watchdog.wait();
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound listener has an address").port()
}
