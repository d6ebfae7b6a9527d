//! Whatever a server does: a completed sync or a typed error, within the budget, never a panic or a
//! hang.

use std::time::Duration;

use echodesk_core::{Clock as _, SystemClock};
use echodesk_tests::demo_mailbox::{ADDRESS, MESSAGES, PASSWORD, demo_mailbox};
use echodesk_tests::sandbox::imap::{Behaviour, MODERN, Mailstore, Misbehaviour, NameStyle, PLAIN, SandboxImap};

use crate::support::{Backend, PATIENCE, World};

const BUDGET: Duration = Duration::from_secs(5);

/// How a run on such a server may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// As if nothing were wrong.
    Complete,
    /// All that can be seen is read; but there may be more that cannot, and the report says so.
    AllThatCanBeSeen,
    /// Not everything could be read, and the report says why.
    NotComplete,
}

fn expected(misbehaviour: Misbehaviour) -> Expected {
    match misbehaviour {
        Misbehaviour::SizeTooSmall
        | Misbehaviour::SizeTooLarge
        | Misbehaviour::Unsolicited
        | Misbehaviour::RefuseListStatus
        | Misbehaviour::WrongOrder
        | Misbehaviour::DuplicateFetches
        | Misbehaviour::UntaggedNo
        // EXAMINE is newer than LIST, so it counts.
        | Misbehaviour::UidValidityChanges
        // Only the port that wants STARTTLS is wrong.
        | Misbehaviour::NoStartTls
        | Misbehaviour::StartTlsInjection => Expected::Complete,
        // Among its answers are lines about folders that nobody can read.
        Misbehaviour::Malformed => Expected::AllThatCanBeSeen,
        _ => Expected::NotComplete,
    }
}

fn run(behaviour: Behaviour) -> (World, serde_json::Value) {
    let store = Mailstore::with(ADDRESS, demo_mailbox(SystemClock::new().now()));
    let server = SandboxImap::start(store, behaviour);
    let world = World::new(Backend::Sqlite, &server.ca_file()).unwrap();
    world.mailbox(ADDRESS, PASSWORD, server.port(), &[]);
    let clock = SystemClock::new();
    let budget = format!("{}s", BUDGET.as_secs());
    let (ended, mailbox) = world.try_sync(&["--mailbox-budget", &budget]);
    assert!(clock.elapsed() < BUDGET + PATIENCE, "took {:?}: {mailbox:#}", clock.elapsed());
    assert!(matches!(ended.code, Some(0 | 1)), "{ended:#?}");
    (world, mailbox)
}

fn check(name: &str, misbehaviour: Misbehaviour) {
    let (world, mailbox) = run(Behaviour::wrong(misbehaviour));
    let said = mailbox["error"].is_string()
        || mailbox["outcome"] == "partial"
        || mailbox["folders"].as_array().into_iter().flatten().any(|folder| folder["error"].is_string())
        || mailbox["problems"].as_array().is_some_and(|problems| !problems.is_empty());
    match expected(misbehaviour) {
        Expected::Complete => {
            assert_eq!(mailbox["outcome"], "synced", "{name}: {mailbox:#}");
            assert_eq!(world.counts(), (MESSAGES, MESSAGES + 1), "{name}: {mailbox:#}");
        }
        Expected::AllThatCanBeSeen => {
            assert!(said, "{name}: {mailbox:#}");
            assert_eq!(world.counts(), (MESSAGES, MESSAGES + 1), "{name}: {mailbox:#}");
        }
        Expected::NotComplete => {
            assert!(said, "{name}: {mailbox:#}");
            assert!(world.counts().0 <= MESSAGES, "{name}");
        }
    }
}

#[test]
fn every_misbehaviour_ends_in_time_with_a_result_or_a_reason() {
    // Most of them wait most of the time.
    for together in Misbehaviour::ALL.chunks(6) {
        std::thread::scope(|scope| {
            for (name, misbehaviour) in together {
                std::thread::Builder::new()
                    .name((*name).to_owned())
                    .spawn_scoped(scope, move || check(name, *misbehaviour))
                    .unwrap();
            }
        });
    }
}

#[test]
fn fewer_extensions_and_other_ways_to_write_names_change_nothing() {
    let without = |left_out: &str| MODERN.into_iter().filter(|name| *name != left_out).collect::<Vec<_>>();
    let mut offers: Vec<Vec<&str>> = MODERN.into_iter().skip(1).map(without).collect();
    offers.push(PLAIN.to_vec());
    for capabilities in offers {
        let offer = capabilities.join(" ");
        let (world, mailbox) = run(Behaviour { capabilities, ..Behaviour::default() });
        assert_eq!(
            (mailbox["outcome"].as_str(), world.counts()),
            (Some("synced"), (MESSAGES, MESSAGES + 1)),
            "{offer}"
        );
    }
    for names in [NameStyle::Atom, NameStyle::Literal] {
        let (world, _) = run(Behaviour { names, ..Behaviour::default() });
        assert_eq!(world.counts(), (MESSAGES, MESSAGES + 1), "{names:?}");
    }
}
