//! The product's timeline as a play of half a minute: real programs on the embedded database, day by day as cron
//! starts them, against sandbox servers; only the clock is moved. It fails if what happened is not what the
//! timeline in `docs/timeline.md` says.

mod calendar;
mod cron;
mod ending;
mod page;
mod proof;
mod records;
mod screen;
mod stage;
mod tenants;

use std::path::PathBuf;
use std::process::ExitCode;

use calendar::Calendar;
use proof::Seen;
use screen::{NOBODY_READS, Screen, say};
use stage::Stage;

/// The day on which the reminder goes out, by days after expiry.
const FIRST_DAY: i32 = -7;

/// The day on which the third is suspended; later on that day it pays.
const SUSPENSION_DAY: i32 = 8;

/// How shells tell that SIGPIPE ended a program. The play was not seen to its end, so it has not succeeded.
const CLOSED_PIPE: u8 = 141;

fn main() -> ExitCode {
    let screen = Screen::new();
    match play(&screen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) if problem == NOBODY_READS => ExitCode::from(CLOSED_PIPE),
        Err(problem) => {
            // If that cannot be printed either, the exit code says it.
            let _ = say!("\n{}\n{problem}", screen.strong("The demo has failed:"));
            ExitCode::FAILURE
        }
    }
}

/// The whole play. The installation stays in the folder of the first argument, if there is one.
fn play(screen: &Screen) -> Result<(), String> {
    let kept = std::env::args_os().nth(1).map(PathBuf::from);
    let calendar = Calendar::ending_yesterday(SUSPENSION_DAY + 1);
    let stage = Stage::set(kept.as_deref(), calendar)?;
    let mut seen = Seen::default();

    screen.title("Three customers, from seven days before their subscriptions expire to nine days after")?;
    say!(
        "Real programs on the embedded database, as cron starts them, against a bank, a mail server and a mailbox of\n\
         our own. Only the clock is moved: the story ends yesterday.\n"
    )?;
    tenants::move_in(&stage)?;
    screen.title("Day by day (0 is the day of expiry)")?;
    let mut cron = cron::Cron::new(&stage, screen);
    for day in FIRST_DAY..=SUSPENSION_DAY + 1 {
        if day == tenants::CARD_HAS_MONEY_FROM {
            cron.aside(day, "bell puts money on its card")?;
            stage.bank.change_card(&tenants::BELL.card(), echodesk_tests::sandbox::bank::Card::pays());
        }
        if day == tenants::LETTER_ON {
            stage.letter_arrives(day);
        }
        cron.day(day, &mut seen)?;
        if day == SUSPENSION_DAY {
            seen.suspended = records::suspended(&stage)?;
            page::customer_pays(&stage, &tenants::COLA, day)?;
            cron.aside(day, "cola pays on the page; EchoDesk's web hook books it: 30 days from the old date")?;
        }
    }
    say!("")?;
    ending::mail(&stage, screen)?;
    ending::ledger(&stage, screen)?;
    ending::mailbox(&stage, screen)?;
    seen.look(&stage)?;
    proof::check(&seen, &calendar)?;
    say!("\nAll of it is as docs/timeline.md says: nothing charged twice, told twice or stored twice.")?;
    ending::next(screen, kept.as_deref())
}
