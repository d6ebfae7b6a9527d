//! What happens when a server's program is not installed.

use std::path::PathBuf;
use std::process::Command;

/// Says that `program` is not installed and that `package` of the distribution brings it.
///
/// Returns `None`, so that the caller can hand it on and the test can end early.
///
/// # Panics
/// Where tests must not be passed over: with `CI=true` or `ECHODESK_REQUIRE_SERVERS=1`.
#[must_use]
pub fn missing<T>(program: &str, package: &str) -> Option<T> {
    let hint = format!("{program} is not installed; apt-get install {package}, or run tests/run, which does so");
    assert!(!required(), "{hint}");
    eprintln!("\n*** NOT TESTED: {hint} ***\n");
    None
}

fn required() -> bool {
    setting("CI").is_some_and(|value| value == "true")
        || setting("ECHODESK_REQUIRE_SERVERS").is_some_and(|value| value == "1")
}

/// A setting of the test run.
#[expect(clippy::disallowed_methods, reason = "this crate knows nothing of ours, and this is its one place")]
pub(crate) fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Finds a program in PATH, in the folders of system programs, or in `also`.
pub(crate) fn find(program: &str, also: Vec<PathBuf>) -> Option<PathBuf> {
    let path = setting("PATH").unwrap_or_default();
    also.into_iter()
        .chain(path.split(':').map(PathBuf::from))
        .chain(["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// Runs a command to its end and returns what it printed.
///
/// # Panics
/// It cannot be started or fails; the message has its output.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?} failed ({}):\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
