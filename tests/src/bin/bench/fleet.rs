//! Many mailboxes on far hosts.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use echodesk_core::{Clock as _, SystemClock};
use echodesk_test_servers::certificate::Authority;
use echodesk_tests::processes::Installation;
use echodesk_tests::sandbox::imap::{Account, Behaviour, Mailstore, SandboxImap};

use crate::ways;

const HOSTS: usize = 20;
const ROUND_TRIP: Duration = Duration::from_millis(50);
const MESSAGES: usize = 20;

/// Twenty hosts, each on an address of its own, that share out the mailboxes.
pub(crate) fn start(mailboxes: usize, clock: &SystemClock) -> Vec<SandboxImap> {
    let authority = Arc::new(Authority::new());
    let hosts = (0..HOSTS).map(|host| {
        let mut store = Mailstore::default();
        for number in (host..mailboxes).step_by(HOSTS) {
            let mut account = Account::new("pw");
            for message in 0..MESSAGES {
                account.append("INBOX", clock.now(), &["\\Seen"], message_bytes(number, message));
            }
            store.add(&address(number), account);
        }
        let behaviour = Behaviour {
            address: host_address(host),
            authority: Some(Arc::clone(&authority)),
            round_trip: ROUND_TRIP,
            ..Behaviour::default()
        };
        SandboxImap::start(store, behaviour)
    });
    hosts.collect()
}

/// Adds all mailboxes to a tenant.
pub(crate) fn add(installation: &Installation, servers: &[SandboxImap], mailboxes: usize) {
    for number in 0..mailboxes {
        let host = number % HOSTS;
        let name = host_address(host).to_string();
        ways::add_mailbox(installation, &address(number), &name, servers[host].port(), "pw");
    }
}

fn host_address(host: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, u8::try_from(host + 2).unwrap_or(2)))
}

fn address(number: usize) -> String {
    format!("user{number}@example.com")
}

fn message_bytes(mailbox: usize, number: usize) -> Vec<u8> {
    let line = "One line is like the other, but there are many of them.\r\n";
    format!(
        "From: sender@example.com\r\nTo: {}\r\nSubject: Message {number}\r\nMessage-ID: <{mailbox}.{number}@fleet>\r\n\
         Content-Type: text/plain\r\n\r\n{}",
        address(mailbox),
        line.repeat(80)
    )
    .into_bytes()
}
