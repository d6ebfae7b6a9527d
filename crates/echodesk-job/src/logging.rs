//! Log lines on standard error.
//!
//! Text: `TIME LEVEL message key=value …`, time in UTC. JSON: one object per line. Whatever the
//! format, an event is one line, and neither secrets nor the content of messages are ever in it.

use std::fmt;
use std::sync::Arc;

use echodesk_core::Clock;
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;

use crate::args::{GlobalArgs, LogFormat};
use crate::terminal::Terminal;

/// How much is logged, and how.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// Text or JSON.
    pub format: LogFormat,
    /// The most detailed level that we log ourselves.
    pub level: Level,
    /// Whether levels are coloured.
    pub colour: bool,
}

impl LogSettings {
    /// What the flags ask for: `-q` errors, nothing info, `-v` debug, `-vv` trace. Colours on a
    /// terminal, unless NO_COLOR is set (no-color.org).
    #[must_use]
    pub fn new(args: &GlobalArgs, no_color: bool, terminal: &Terminal) -> Self {
        let level = match (args.quiet, args.verbose) {
            (true, _) => Level::ERROR,
            (false, 0) => Level::INFO,
            (false, 1) => Level::DEBUG,
            (false, _) => Level::TRACE,
        };
        let colour = terminal.is_interactive() && !no_color && args.log_format == LogFormat::Text;
        Self { format: args.log_format, level, colour }
    }

    /// Libraries are heard when something is wrong with them: their details may hold what we never
    /// log (passwords, messages).
    fn targets(&self) -> Targets {
        let libraries = LevelFilter::from_level(self.level.min(Level::WARN));
        Targets::new().with_default(libraries).with_targets(OURS.map(|target| (target, self.level)))
    }
}

/// Beginnings of the names of our crates.
const OURS: [&str; 4] = ["echodesk", "sync_emails", "recurring_payments", "subscription_status"];

/// Starts logging for the whole process, panics included. Only the first call has an effect.
pub fn start(settings: &LogSettings, terminal: Terminal, clock: Arc<dyn Clock>) {
    // A logger that is there already (a test's) stays.
    if tracing::dispatcher::set_global_default(dispatch(settings, terminal, clock)).is_ok() {
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string);
            // A formatted message may quote what was being worked on, and so somebody's mail.
            let text = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("panicked");
            tracing::error!(place, "bug: {text}");
        }));
    }
}

fn dispatch(settings: &LogSettings, terminal: Terminal, clock: Arc<dyn Clock>) -> Dispatch {
    let layer = tracing_subscriber::fmt::layer().with_writer(terminal).with_timer(ClockTime(clock));
    let registry = tracing_subscriber::registry().with(settings.targets());
    fn done(subscriber: impl Subscriber + Send + Sync) -> Dispatch {
        Dispatch::new(subscriber)
    }
    match settings.format {
        LogFormat::Text => done(registry.with(layer.with_target(false).with_ansi(settings.colour))),
        LogFormat::Json => done(registry.with(layer.json().flatten_event(true).with_span_list(false))),
    }
}

/// Time stamps from the clock of the run, in UTC with milliseconds (RFC 3339).
struct ClockTime(Arc<dyn Clock>);

impl FormatTime for ClockTime {
    fn format_time(&self, w: &mut Writer<'_>) -> fmt::Result {
        write!(w, "{:.3}", self.0.now())
    }
}

#[cfg(test)]
mod tests {
    use echodesk_core::ManualClock;

    use super::*;
    use crate::terminal::tests::Seen;

    fn logged(args: &GlobalArgs, work: impl FnOnce()) -> String {
        let seen = Seen::default();
        let terminal = Terminal::new(Box::new(seen.clone()), false);
        let clock = Arc::new(ManualClock::at("2026-11-22T10:00:00.5Z".parse().unwrap()));
        let settings = LogSettings::new(args, false, &terminal);
        tracing::dispatcher::with_default(&dispatch(&settings, terminal, clock), work);
        seen.text()
    }

    #[test]
    fn a_text_line_has_time_level_message_and_fields() {
        let text = logged(&GlobalArgs::default(), || tracing::info!(tenant = "acme", stored = 3, "mailbox done"));
        assert_eq!(text, "2026-11-22T10:00:00.500Z  INFO mailbox done tenant=\"acme\" stored=3\n");
    }

    #[test]
    fn a_json_line_is_one_object() {
        let args = GlobalArgs { log_format: LogFormat::Json, ..GlobalArgs::default() };
        let text = logged(&args, || tracing::warn!(stored = 3, "two\nlines"));
        let object: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(object["level"], "WARN");
        assert_eq!(object["message"], "two\nlines");
        assert_eq!(object["stored"], 3);
        assert_eq!(object["timestamp"], "2026-11-22T10:00:00.500Z");
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn flags_say_how_much_is_heard() {
        let table = [(true, 0, 1), (false, 0, 3), (false, 1, 4), (false, 2, 5)];
        for (quiet, verbose, expected) in table {
            let args = GlobalArgs { quiet, verbose, ..GlobalArgs::default() };
            let text = logged(&args, || {
                tracing::error!("1");
                tracing::warn!("2");
                tracing::info!("3");
                tracing::debug!("4");
                tracing::trace!("5");
            });
            assert_eq!(text.lines().count(), expected, "quiet {quiet}, verbose {verbose}: {text}");
        }
    }

    #[test]
    fn the_details_of_libraries_are_never_heard() {
        let args = GlobalArgs { verbose: 2, ..GlobalArgs::default() };
        let text = logged(&args, || {
            tracing::debug!(target: "imap::client", "C: a1 LOGIN bob hunter2");
            tracing::warn!(target: "reqwest", "heard");
        });
        assert!(!text.contains("hunter2") && text.contains("heard"), "{text}");
    }

    #[test]
    fn quiet_silences_warnings_of_libraries_too() {
        let args = GlobalArgs { quiet: true, ..GlobalArgs::default() };
        assert_eq!(logged(&args, || tracing::warn!(target: "reqwest", "not heard")), "");
    }

    #[test]
    fn colours_need_a_terminal_and_no_objection() {
        let terminal = |interactive| Terminal::new(Box::new(std::io::sink()), interactive);
        let args = GlobalArgs::default();
        assert!(LogSettings::new(&args, false, &terminal(true)).colour);
        assert!(!LogSettings::new(&args, true, &terminal(true)).colour);
        assert!(!LogSettings::new(&args, false, &terminal(false)).colour);
    }
}
