//! Small libraries in C that stand before the C library (`LD_PRELOAD`) and change what a real program finds.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

/// Why there is no library.
#[derive(Debug, thiserror::Error)]
pub enum PreloadError {
    /// The C compiler is not there, or a file cannot be made or read.
    #[error("{what}")]
    System {
        /// What was to be done.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// The C compiler refuses the source.
    #[error("cc does not compile the library: {0}")]
    Compiler(String),
}

pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> PreloadError {
    move |source| PreloadError::System { what: what.into(), source }
}

/// Compiles a library, unless it lies compiled beside this program already, and returns where it is.
pub(crate) fn compiled(name: &str, source: &str) -> Result<PathBuf, PreloadError> {
    let own = std::env::current_exe().map_err(system("this program has no path"))?;
    let folder = own.parent().unwrap_or(Path::new("."));
    // Named by its content: what is there is right.
    let digest: String = Sha256::digest(source).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let library = folder.join(format!("{name}-{digest}.so"));
    if !library.is_file() {
        compile(name, source, &library)?;
    }
    Ok(library)
}

/// Puts a library before the C library, behind those that are there already.
pub(crate) fn add<'a>(command: &'a mut Command, library: &Path) -> &'a mut Command {
    let before = command.get_envs().find(|(name, _)| *name == "LD_PRELOAD").and_then(|(_, value)| value);
    let mut libraries = before.map(|value| value.to_os_string()).unwrap_or_default();
    if !libraries.is_empty() {
        libraries.push(":");
    }
    libraries.push(library);
    command.env("LD_PRELOAD", libraries)
}

fn compile(name: &str, source: &str, library: &Path) -> Result<(), PreloadError> {
    let folder = library.parent().unwrap_or(Path::new("."));
    let work = tempfile::tempdir_in(folder).map_err(system(format!("cannot write to {}", folder.display())))?;
    let (text, made) = (work.path().join(format!("{name}.c")), work.path().join(format!("{name}.so")));
    std::fs::write(&text, source).map_err(system("cannot write the source"))?;
    let output = Command::new("cc")
        .args(["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-pthread", "-o"])
        .args([&made, &text])
        .arg("-ldl")
        .output()
        .map_err(system("cannot start cc"))?;
    if !output.status.success() {
        return Err(PreloadError::Compiler(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    // Other processes may be compiling it too: each puts a whole file into place.
    std::fs::rename(&made, library).map_err(system(format!("cannot write {}", library.display())))
}
