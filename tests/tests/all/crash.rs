//! Lost connections, killed processes, runs that overlap: nothing is lost and nothing comes twice.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use echodesk_core::{Clock as _, SystemClock};
use echodesk_test_servers::dovecot::{Dovecot, Options, PASSWORD, USER};
use echodesk_tests::client::Client;
use echodesk_tests::processes::Ended;
use echodesk_tests::proxy::{Proxy, Way};
use echodesk_tests::sandbox::imap::{Account, Behaviour, Mailstore, SandboxImap};

use crate::support::{Backend, World, mail, on_both};

const MESSAGES: usize = 60;

on_both!(
    a_server_that_is_cut_off_at_every_tenth_loses_and_doubles_nothing,
    a_run_that_is_killed_again_and_again_gets_there_in_the_end,
    two_runs_at_once_share_the_work,
);

fn a_server_that_is_cut_off_at_every_tenth_loses_and_doubles_nothing(backend: Backend) {
    let Some(server) = Dovecot::start(&Options::default()) else { return };
    let mut client = Client::connect(server.tls_port(), &server.ca_file()).unwrap();
    client.login(USER, PASSWORD).unwrap();
    for number in 0..MESSAGES {
        client.append("INBOX", &mail(number, 20_000)).unwrap();
    }
    let upstream = SocketAddr::from((Ipv4Addr::LOCALHOST, server.tls_port()));
    let proxy = Proxy::start(upstream, Way::default());
    let Some(world) = World::new(backend, &server.ca_file()) else { return };
    world.mailbox(USER, PASSWORD, proxy.port(), &[]);
    let _ = world.sync();
    let whole = proxy.received();

    for tenth in 1..10 {
        let Some(world) = World::new(backend, &server.ca_file()) else { return };
        world.mailbox(USER, PASSWORD, proxy.port(), &[]);
        proxy.cut_after(Some(whole * tenth / 10));
        let (ended, mailbox) = world.try_sync(&[]);
        assert_eq!((ended.code, mailbox["outcome"].as_str()), (Some(1), Some("failed")), "{tenth}: {mailbox:#}");
        let before = world.counts().0;
        proxy.cut_after(None);
        let rest = world.sync();
        assert_eq!(rest["stored"].as_u64(), Some((MESSAGES - before) as u64), "{tenth}: what was read is kept");
        assert_eq!(world.counts(), (MESSAGES, MESSAGES), "{tenth}");
    }
}

fn full_mailbox(behaviour: Behaviour) -> SandboxImap {
    let mut account = Account::new("pw");
    for number in 0..MESSAGES * 5 {
        account.append("INBOX", SystemClock::new().now(), &[], mail(number, 5000));
    }
    SandboxImap::start(Mailstore::with(USER, account), behaviour)
}

fn a_run_that_is_killed_again_and_again_gets_there_in_the_end(backend: Backend) {
    let server = full_mailbox(Behaviour { round_trip: Duration::from_millis(5), ..Behaviour::default() });
    let Some(world) = World::new(backend, &server.ca_file()) else { return };
    world.mailbox(USER, "pw", server.port(), &[]);
    // Moments that look random and are the same each time; later ones leave time to finish.
    let mut seed = 12_345_u64;
    for round in 0..200 {
        let mut child = world.installation.start_sync(&[]);
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_millis(20 + (seed >> 33) % 200 + round * 5));
        let finished = child.try_wait().unwrap().is_some();
        // One that has just ended by itself cannot be killed any more.
        let _ = child.kill();
        let ended = Ended::of(child);
        assert!(!ended.stderr.contains("panicked"), "{ended:#?}");
        world.end_leases();
        let (rows, items) = world.counts();
        assert_eq!(rows, items, "a message and its place are written together");
        if finished {
            assert_eq!(ended.code, Some(0), "{ended:#?}");
            assert_eq!(rows, MESSAGES * 5);
            return;
        }
    }
    panic!("200 runs were not enough: {:?} stored", world.counts());
}

fn two_runs_at_once_share_the_work(backend: Backend) {
    let server = full_mailbox(Behaviour { round_trip: Duration::from_millis(20), ..Behaviour::default() });
    let Some(world) = World::new(backend, &server.ca_file()) else { return };
    world.mailbox(USER, "pw", server.port(), &[]);
    let runs = [world.installation.start_sync(&[]), world.installation.start_sync(&[])];
    for run in runs {
        let _ = Ended::of(run).well();
    }
    assert_eq!(world.counts(), (MESSAGES * 5, MESSAGES * 5));
    let bodies = server.log().iter().filter(|line| line.starts_with("EXAMINE")).count();
    assert_eq!(bodies, 1, "one run worked, the other saw that it does");
}
