//! The sandbox bank in a process of its own, so that its memory and CPU are not counted as ours.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use echodesk_tests::processes::program_path;

/// The order that all cards were saved on: one is as good as many to a bank that looks it up in a map.
pub(crate) const CARD: &str = "22222222-2222-4222-8222-222222222222";

/// What a month costs.
pub(crate) const MONTH: &str = "25.00";

/// How long a charge is under way at the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settles {
    AtOnce,
    /// Not while anybody looks.
    Later,
}

/// A bank that ends with us.
pub(crate) struct Bank {
    process: Child,
    settings: Vec<(String, String)>,
}

impl Bank {
    /// Starts a bank that has charged nothing yet.
    pub(crate) fn start(folder: &Path, latency: Duration, settles: Settles) -> Self {
        let file = folder.join("bank.log");
        let output = File::create(&file).expect("own folder");
        let settle_after = if settles == Settles::AtOnce { "0" } else { "86400" };
        let process = Command::new(program_path("echodesk-sandbox"))
            .args(["bank", "--latency-ms", &latency.as_millis().to_string(), "--settle-after", settle_after])
            .args(["--card", &format!("{CARD}={MONTH}")])
            .stdin(Stdio::null())
            .stdout(output)
            .spawn()
            .expect("echodesk-sandbox is built beside this program");
        let mut bank = Self { process, settings: Vec::new() };
        for _ in 0..200 {
            bank.settings = settings(&std::fs::read_to_string(&file).unwrap_or_default());
            if bank.settings.len() == 5 {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(bank.settings.len(), 5, "the bank has not started");
        bank
    }

    /// What to set for a program that is to use this bank.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The lines `export NAME=VALUE` that are there whole.
fn settings(text: &str) -> Vec<(String, String)> {
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let lines = whole.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
    lines.map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned())).collect()
}
