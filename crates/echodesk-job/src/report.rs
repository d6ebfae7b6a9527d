//! The machine-readable report that `--report` asks for.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use echodesk_core::RunId;
use serde::Serialize;

use crate::output;

/// Where the report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportTarget {
    /// `-`: standard output, which then carries nothing else.
    Stdout,
    /// A file that is replaced whole: a reader sees the old report or the new one, never half of one.
    Replaced {
        /// The file, symbolic links followed.
        file: PathBuf,
        /// The neighbour under which it is written first.
        draft: PathBuf,
    },
    /// A device or pipe, which cannot be replaced and is written to as it is.
    Stream(PathBuf),
}

/// Why a report cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Found out before anything was started.
    #[error("the report cannot be written to {}", path.display())]
    Unwritable {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Found out when the work was done.
    #[error("the report was not written to {}", path.display())]
    NotWritten {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl ReportTarget {
    /// Makes sure that a report can be written to `path`, without touching what is there.
    ///
    /// # Errors
    /// [`ReportError::Unwritable`].
    pub fn probe(path: &Path, run: RunId) -> Result<Self, ReportError> {
        if path == Path::new("-") {
            return Ok(Self::Stdout);
        }
        probe_file(path, run).map_err(|source| ReportError::Unwritable { path: path.to_owned(), source })
    }

    /// Writes the report as indented JSON, as it is serialized: nothing holds it whole.
    ///
    /// # Errors
    /// [`ReportError::NotWritten`].
    pub fn write(&self, report: &impl Serialize) -> Result<(), ReportError> {
        match self {
            Self::Stdout => output::stream(|out| write_to(out, report)),
            Self::Stream(path) => {
                OpenOptions::new().write(true).open(path).and_then(|mut file| write_to(&mut file, report))
            }
            Self::Replaced { file, draft } => replace(file, draft, report),
        }
        .map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> ReportError {
        let path = match self {
            Self::Stdout => PathBuf::from("standard output"),
            Self::Replaced { file, .. } | Self::Stream(file) => file.clone(),
        };
        ReportError::NotWritten { path, source }
    }
}

fn probe_file(path: &Path, run: RunId) -> io::Result<ReportTarget> {
    let there = path.metadata().ok();
    if there.as_ref().is_some_and(fs::Metadata::is_dir) {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    if there.as_ref().is_some_and(|metadata| !metadata.is_file()) {
        // Renaming a file over /dev/null would replace the device.
        return Ok(ReportTarget::Stream(path.to_owned()));
    }
    // A symbolic link stays one: its target is what is replaced.
    let file = if there.is_some() { path.canonicalize()? } else { path.to_owned() };
    let name = file.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
    let mut draft_name = std::ffi::OsString::from(".");
    draft_name.push(name);
    draft_name.push(format!(".{run}.tmp"));
    let draft = file.with_file_name(draft_name);
    File::create_new(&draft)?;
    fs::remove_file(&draft)?;
    Ok(ReportTarget::Replaced { file, draft })
}

fn replace(file: &Path, draft: &Path, report: &impl Serialize) -> io::Result<()> {
    let written = File::create(draft).and_then(|mut out| {
        write_to(&mut out, report)?;
        out.sync_all()
    });
    let replaced = written.and_then(|()| fs::rename(draft, file));
    if replaced.is_err() {
        // The first error is the one to tell; a draft that stays behind harms nobody.
        drop(fs::remove_file(draft));
    }
    replaced
}

fn write_to(out: &mut dyn Write, report: &impl Serialize) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    // The error of a reader that has gone away keeps its kind.
    serde_json::to_writer_pretty(&mut out, report)?;
    out.write_all(b"\n")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_probe_leaves_nothing_behind_and_keeps_the_old_report() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        ReportTarget::probe(&path, RunId::random()).unwrap();
        assert!(names(folder.path()).is_empty());
        fs::write(&path, "old").unwrap();
        ReportTarget::probe(&path, RunId::random()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    }

    #[test]
    fn a_report_replaces_the_old_one_and_leaves_no_draft() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        fs::write(&path, "old and much longer than the new one").unwrap();
        let target = ReportTarget::probe(&path, RunId::random()).unwrap();
        target.write(&serde_json::json!({"a": 1})).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\n  \"a\": 1\n}\n");
        assert_eq!(names(folder.path()), ["report.json"]);
    }

    #[test]
    fn a_reader_that_has_the_old_report_open_still_reads_the_old_one() {
        use std::io::Read as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        fs::write(&path, "old").unwrap();
        let mut reader = File::open(&path).unwrap();
        ReportTarget::probe(&path, RunId::random()).unwrap().write(&1).unwrap();
        let mut seen = String::new();
        reader.read_to_string(&mut seen).unwrap();
        assert_eq!(seen, "old", "the file was replaced, not overwritten");
    }

    #[test]
    fn a_path_that_cannot_be_written_is_found_before_the_work() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().join("missing/report.json"), folder.path().to_owned(), PathBuf::from("/proc/x")] {
            let error = ReportTarget::probe(&path, RunId::random()).unwrap_err();
            assert!(matches!(error, ReportError::Unwritable { .. }), "{}", path.display());
            assert!(error.to_string().contains(&path.display().to_string()));
        }
    }

    #[test]
    fn a_draft_is_removed_when_the_report_cannot_be_put_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        let target = ReportTarget::probe(&path, RunId::random()).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(target.write(&1), Err(ReportError::NotWritten { .. })));
        assert_eq!(names(folder.path()), ["report.json"]);
    }

    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        let target = ReportTarget::probe(Path::new("/dev/null"), RunId::random()).unwrap();
        assert_eq!(target, ReportTarget::Stream(PathBuf::from("/dev/null")));
        target.write(&1).unwrap();
    }

    #[test]
    fn a_symbolic_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.json"), folder.path().join("link.json"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        ReportTarget::probe(&link, RunId::random()).unwrap().write(&2).unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "2\n");
    }

    #[test]
    fn a_dash_is_standard_output() {
        assert_eq!(ReportTarget::probe(Path::new("-"), RunId::random()).unwrap(), ReportTarget::Stdout);
    }
}
