//! Manual pages and shell completions, made from the command line that the program itself reads.
//!
//! `sync-emails --generate man > sync-emails.1` needs no settings and no database: it is looked for before
//! anything else is.

mod page;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use crate::exit::ExitStatus;
use crate::output;
use crate::terminal::Terminal;

/// What `--help` says of it, the same for every program.
pub const HELP: &str = "\
Alone on the command line, --generate KIND prints the manual page (man) or completions for a shell
(complete-bash, complete-zsh, complete-fish).";

const FLAG: &str = "--generate";

/// What can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A manual page in roff, with all subcommands.
    Man,
    /// Completions for a shell.
    Complete(Shell),
}

/// Each kind by the name that is typed.
pub const KINDS: [(&str, Kind); 4] = [
    ("man", Kind::Man),
    ("complete-bash", Kind::Complete(Shell::Bash)),
    ("complete-zsh", Kind::Complete(Shell::Zsh)),
    ("complete-fish", Kind::Complete(Shell::Fish)),
];

/// Prints what `--generate KIND` asks for, if that is what the process was started with, and says how to end.
/// To be called before the command line is parsed.
#[must_use]
pub fn asked<C: CommandFactory>() -> Option<ExitCode> {
    let wanted = wanted(std::env::args_os().skip(1))?;
    let (said, status) = match wanted.map(|kind| generate(kind, C::command()).and_then(|text| output::print(&text))) {
        Ok(Ok(())) => return Some(ExitStatus::Done.into()),
        Ok(Err(error)) => (format!("cannot write to standard output: {error}"), ExitStatus::DoneWithFailures),
        Err(said) => (said, ExitStatus::Usage),
    };
    // Nobody can be told that standard error is gone.
    let _ = Terminal::stderr(None).print(format!("error: {said}\n").as_bytes());
    Some(status.into())
}

/// What a command makes of itself.
///
/// # Errors
/// What was made cannot be put together; only memory could fail.
pub fn generate(kind: Kind, mut command: Command) -> io::Result<Vec<u8>> {
    match kind {
        Kind::Man => page::page(command),
        Kind::Complete(shell) => {
            let name = command.get_name().to_owned();
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, name, &mut script);
            Ok(script)
        }
    }
}

/// What is asked for by arguments that begin with `--generate`, or why that cannot be told.
fn wanted(mut arguments: impl Iterator<Item = OsString>) -> Option<Result<Kind, String>> {
    let first = arguments.next()?.into_string().ok()?;
    let kind = match first.strip_prefix(FLAG)? {
        "" => arguments.next().map(|kind| kind.to_string_lossy().into_owned()),
        rest => Some(rest.strip_prefix('=')?.to_owned()),
    };
    let known = kind.as_deref().and_then(|kind| KINDS.iter().find(|(name, _)| *name == kind));
    Some(match (known, arguments.next()) {
        (Some((_, kind)), None) => Ok(*kind),
        (Some(_), Some(more)) => Err(format!("{FLAG} stands alone: what is {more:?} for?")),
        (None, _) => Err(format!("{FLAG} takes one of {}", KINDS.map(|(name, _)| name).join(", "))),
    })
}

#[cfg(test)]
mod tests;
