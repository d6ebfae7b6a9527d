//! One line on a terminal that says how far a run is. Elsewhere the log has to do.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use echodesk_core::Clock;

use crate::terminal::Terminal;

/// How often the line is redrawn: often enough to look alive, seldom enough to cost nothing.
const REDRAW: Duration = Duration::from_millis(200);

/// What a job counts.
#[derive(Clone, Copy, Debug)]
pub enum ProgressWords {
    /// A known number of items, with something found in each: `2/40 mailboxes | 4210 messages | …`.
    Items {
        /// What a run goes through one by one, for example `mailboxes`.
        items: &'static str,
        /// What it finds in them, for example `messages`.
        parts: &'static str,
    },
    /// Any number of items in phases, told by what became of them: `charging | 38 paid, 2 refused | …`.
    Phases {
        /// What a run is at, for example `charging`.
        phases: &'static [&'static str],
        /// What may become of an item, for example `paid`; at most eight.
        fates: &'static [&'static str],
    },
}

/// Counts, from any thread and without ever blocking; a thread of its own draws them.
#[derive(Clone)]
pub struct Progress {
    counts: Arc<Counts>,
    drawer: Arc<Mutex<Option<Drawer>>>,
}

#[derive(Default)]
struct Counts {
    total: AtomicUsize,
    done: AtomicUsize,
    failed: AtomicUsize,
    parts: AtomicU64,
    bytes: AtomicU64,
    phase: AtomicUsize,
    fates: [AtomicU64; 8],
}

struct Drawer {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

impl Progress {
    /// Starts drawing on `terminal`, if it can redraw lines.
    #[must_use]
    pub fn start(words: ProgressWords, terminal: &Terminal, clock: &Arc<dyn Clock>) -> Self {
        let counts = Arc::new(Counts::default());
        let drawer = terminal.is_interactive().then(|| draw(words, &counts, terminal, clock)).flatten();
        Self { counts, drawer: Arc::new(Mutex::new(drawer)) }
    }

    /// A progress that nobody sees.
    #[must_use]
    pub fn hidden() -> Self {
        Self { counts: Arc::default(), drawer: Arc::default() }
    }

    /// There are `items` to go through.
    pub fn set_total(&self, items: usize) {
        self.counts.total.store(items, Relaxed);
    }

    /// One more item is done.
    pub fn item_done(&self, failed: bool) {
        self.counts.done.fetch_add(1, Relaxed);
        self.counts.failed.fetch_add(usize::from(failed), Relaxed);
    }

    /// More parts, and their bytes.
    pub fn add(&self, parts: usize, bytes: u64) {
        self.counts.parts.fetch_add(parts as u64, Relaxed);
        self.counts.bytes.fetch_add(bytes, Relaxed);
    }

    /// A phase has begun, by its place among the words.
    pub fn enter(&self, phase: usize) {
        self.counts.phase.store(phase, Relaxed);
    }

    /// What became of one more item, by its place among the words.
    pub fn fate(&self, fate: usize) {
        if let Some(count) = self.counts.fates.get(fate) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// Removes the line. What is counted afterwards is not shown.
    pub fn finish(&self) {
        let drawer = self.drawer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Drawer { stop, thread }) = drawer {
            drop(stop);
            // A drawer that panicked has been logged by the panic hook; the run is not its business.
            drop(thread.join());
        }
    }
}

/// `None` if the system has no thread to spare: then nothing is drawn.
fn draw(words: ProgressWords, counts: &Arc<Counts>, terminal: &Terminal, clock: &Arc<dyn Clock>) -> Option<Drawer> {
    let (stop, stopped) = mpsc::channel();
    let (counts, terminal, clock) = (counts.clone(), terminal.clone(), clock.clone());
    let started = clock.elapsed();
    let thread = std::thread::Builder::new().name("progress".to_owned()).spawn(move || {
        while stopped.recv_timeout(REDRAW) == Err(RecvTimeoutError::Timeout) {
            terminal.show(&line(words, &counts, clock.elapsed().saturating_sub(started)));
        }
        terminal.show("");
    });
    thread.ok().map(|thread| Drawer { stop, thread })
}

/// Stays under 80 columns, so that it can be erased in place.
fn line(words: ProgressWords, counts: &Counts, elapsed: Duration) -> String {
    let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = |number: u64| number.saturating_mul(1000) / milliseconds;
    let line = match words {
        ProgressWords::Items { items, parts: parts_word } => {
            let (done, total) = (counts.done.load(Relaxed), counts.total.load(Relaxed));
            let (parts, bytes) = (counts.parts.load(Relaxed), shown_bytes(counts.bytes.load(Relaxed)));
            let failed = match counts.failed.load(Relaxed) {
                0 => String::new(),
                failed => format!(", {failed} failed"),
            };
            format!("{done}/{total} {items}{failed} | {parts} {parts_word} | {bytes} | {}/s", rate(parts))
        }
        ProgressWords::Phases { phases, fates } => {
            let phase = phases.get(counts.phase.load(Relaxed)).copied().unwrap_or_default();
            let counted: Vec<(u64, &str)> =
                counts.fates.iter().map(|count| count.load(Relaxed)).zip(fates.iter().copied()).collect();
            let sum = counted.iter().map(|(count, _)| count).sum();
            let some = counted.iter().filter(|(count, _)| *count > 0);
            let told: Vec<String> = some.map(|(count, fate)| format!("{count} {fate}")).collect();
            let told = if told.is_empty() { "nothing yet".to_owned() } else { told.join(", ") };
            format!("{phase} | {told} | {}/s", rate(sum))
        }
    };
    line.chars().take(79).collect()
}

/// A size as people read it: `512 B`, `3.4 MB` (1 MB = 1024 kB, as for flags).
#[must_use]
pub fn shown_bytes(bytes: u64) -> String {
    let (shift, unit) = match bytes {
        0..=1023 => return format!("{bytes} B"),
        1024..=0xF_FFFF => (10, "kB"),
        0x10_0000..=0x3FFF_FFFF => (20, "MB"),
        _ => (30, "GB"),
    };
    let tenths = (u128::from(bytes) * 10) >> shift;
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use echodesk_core::SystemClock;

    use super::*;
    use crate::terminal::tests::Seen;

    const WORDS: ProgressWords = ProgressWords::Items { items: "mailboxes", parts: "messages" };
    const PHASES: ProgressWords =
        ProgressWords::Phases { phases: &["settling", "charging"], fates: &["paid", "pending", "refused"] };

    #[test]
    fn the_line_tells_items_parts_bytes_and_rate() {
        let progress = Progress::hidden();
        progress.set_total(40);
        progress.item_done(false);
        progress.item_done(true);
        progress.add(4210, 137_800_000);
        assert_eq!(
            line(WORDS, &progress.counts, Duration::from_secs(5)),
            "2/40 mailboxes, 1 failed | 4210 messages | 131.4 MB | 842/s"
        );
    }

    #[test]
    fn the_line_of_a_run_in_phases_tells_what_became_of_items() {
        let progress = Progress::hidden();
        let shown = || line(PHASES, &progress.counts, Duration::from_secs(2));
        assert_eq!(shown(), "settling | nothing yet | 0/s");
        progress.enter(1);
        (0..38).for_each(|_| progress.fate(0));
        (0..2).for_each(|_| progress.fate(2));
        assert_eq!(shown(), "charging | 38 paid, 2 refused | 20/s");
        progress.enter(7);
        progress.fate(100);
        assert_eq!(shown(), " | 38 paid, 2 refused | 20/s", "what has no word is not shown");
    }

    #[test]
    fn the_line_fits_on_a_terminal_of_80_columns() {
        let progress = Progress::hidden();
        progress.set_total(100_000);
        for _ in 0..99_999 {
            progress.item_done(true);
        }
        progress.add(99_999_999, 999 << 30);
        assert!(line(WORDS, &progress.counts, Duration::from_secs(1)).len() < 80);
    }

    #[test]
    fn no_time_at_all_is_no_division_by_zero() {
        assert_eq!(line(WORDS, &Counts::default(), Duration::ZERO), "0/0 mailboxes | 0 messages | 0 B | 0/s");
    }

    #[test]
    fn sizes_are_shown_in_the_largest_unit_that_fits() {
        let table = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 kB"),
            (1_048_575, "1023.9 kB"),
            (1 << 20, "1.0 MB"),
            (5 << 30, "5.0 GB"),
        ];
        for (bytes, shown) in table {
            assert_eq!(shown_bytes(bytes), shown);
        }
    }

    #[test]
    fn finishing_leaves_no_line_behind() {
        let seen = Seen::default();
        let terminal = Terminal::new(Box::new(seen.clone()), true);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let progress = Progress::start(WORDS, &terminal, &clock);
        std::thread::sleep(REDRAW * 2);
        progress.finish();
        let text = seen.text();
        assert!(text.contains("0/0 mailboxes"), "{text:?}");
        assert!(text.ends_with("\r\x1b[2K"), "{text:?}");
        progress.finish();
    }

    #[test]
    fn nothing_is_drawn_where_lines_cannot_be_redrawn() {
        let seen = Seen::default();
        let terminal = Terminal::new(Box::new(seen.clone()), false);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let progress = Progress::start(WORDS, &terminal, &clock);
        progress.finish();
        assert_eq!(seen.text(), "");
    }
}
