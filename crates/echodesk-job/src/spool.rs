//! What a run tells of single items, kept on disk until the run is over: a report may list any number
//! of them, and memory does not grow with it.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::ser::{Error as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// Marks the line of an item that has failed, and of one that has not. Not shown.
const FAILED: u8 = b'!';
const WELL: u8 = b' ';

/// Items in the order in which they were told of: each as a JSON value for the report and as a line
/// for people. Two temporary files without names, which vanish with the process however it ends.
pub struct Spool {
    files: Mutex<Files>,
}

struct Files {
    values: BufWriter<File>,
    lines: BufWriter<File>,
    /// The first thing that went wrong. What comes after it is not kept: a list with a hole would look
    /// like a whole one.
    broken: Option<Arc<io::Error>>,
}

impl Spool {
    /// An empty spool in the folder for temporary files.
    ///
    /// # Errors
    /// No file can be made there.
    pub fn new() -> io::Result<Self> {
        let file = || tempfile::tempfile().map(BufWriter::new);
        Ok(Self { files: Mutex::new(Files { values: file()?, lines: file()?, broken: None }) })
    }

    /// Appends an item. `line` is made one line, whatever it holds. That the disk is full must not keep
    /// a run from its work, so it is told when the items are read.
    pub fn append(&self, value: &impl Serialize, line: &str, failed: bool) {
        let mut files = self.lock();
        if files.broken.is_none() {
            files.broken = files.write(value, line, failed).err().map(Arc::new);
        }
    }

    /// Hands out the lines in pieces that end with a line: all, or those of items that have failed.
    /// Memory is bounded by the longest line.
    ///
    /// # Errors
    /// The items could not be kept or read, or `out` refuses. What was kept has been handed out then.
    pub fn lines(&self, only_failed: bool, mut out: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        const PIECE: usize = 64 * 1024;
        let mut files = self.lock();
        let mut reader = files.read_lines()?;
        let (mut piece, mut line) = (Vec::new(), Vec::new());
        while reader.read_until(b'\n', &mut line)? > 0 {
            if let Some((mark, text)) = line.split_first()
                && line.ends_with(b"\n")
                && (*mark == FAILED || !only_failed)
            {
                piece.extend_from_slice(text);
            }
            line.clear();
            if piece.len() >= PIECE {
                out(&piece)?;
                piece.clear();
            }
        }
        if !piece.is_empty() {
            out(&piece)?;
        }
        files.whole()
    }

    fn lock(&self) -> MutexGuard<'_, Files> {
        // A panic while writing leaves at worst a torn line, which is not shown.
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files {
    fn write(&mut self, value: &impl Serialize, line: &str, failed: bool) -> io::Result<()> {
        serde_json::to_writer(&mut self.values, value)?;
        self.values.write_all(b"\n")?;
        let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.lines.write_all(&[if failed { FAILED } else { WELL }])?;
        self.lines.write_all(line.trim_end().as_bytes())?;
        self.lines.write_all(b"\n")
    }

    fn read_lines(&mut self) -> io::Result<BufReader<FromStart>> {
        self.lines.flush()?;
        FromStart::of(self.lines.get_ref())
    }

    fn read_values(&mut self) -> io::Result<BufReader<FromStart>> {
        self.values.flush()?;
        FromStart::of(self.values.get_ref())
    }

    fn whole(&self) -> io::Result<()> {
        match &self.broken {
            None => Ok(()),
            Some(error) => Err(io::Error::new(error.kind(), format!("the list of items is not whole: {error}"))),
        }
    }
}

/// Reads a file from its start without moving the place at which it is appended to.
struct FromStart {
    file: File,
    offset: u64,
}

impl FromStart {
    fn of(file: &File) -> io::Result<BufReader<Self>> {
        Ok(BufReader::new(Self { file: file.try_clone()?, offset: 0 }))
    }
}

impl Read for FromStart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool").finish_non_exhaustive()
    }
}

/// The JSON values as one list, read one by one.
impl Serialize for Spool {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut files = self.lock();
        files.whole().map_err(S::Error::custom)?;
        let mut reader = files.read_values().map_err(S::Error::custom)?;
        let mut list = serializer.serialize_seq(None)?;
        let mut line = String::new();
        while reader.read_line(&mut line).map_err(S::Error::custom)? > 0 {
            let value: &RawValue = serde_json::from_str(&line).map_err(S::Error::custom)?;
            list.serialize_element(value)?;
            line.clear();
        }
        list.end()
    }
}

#[cfg(test)]
mod tests;
