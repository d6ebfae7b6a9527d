//! What the server refuses to start with, and whose signatures it believes.

use echodesk_tests::processes::Ended;
use echodesk_tests::sandbox::bank::SandboxBank;

use super::Waiting;
use crate::renewal::{Books, Server};
use crate::support::{Backend, on_both};

on_both!(a_sandboxs_signature_is_worth_nothing_in_production);

/// It must not start; how it ended.
fn refuses(command: &mut std::process::Command) -> Ended {
    match Server::start(command) {
        Err(ended) => ended,
        Ok(server) => panic!("it listens: {}", server.stop()),
    }
}

#[test]
fn wrong_settings_are_named_and_nothing_is_started() {
    let Some(waiting) = Waiting::accepted(Backend::Sqlite) else { return };
    let (renewal, bank): (_, &SandboxBank) = (&waiting.renewal, &waiting.bank);
    let good = bank.public_key_pem();
    let half = &good[..good.len() / 2];
    let broken = good.replace("MIIB", "AAAA");
    let private = good.replace("PUBLIC KEY", "PRIVATE KEY");
    for key in ["", "not a key", half, &broken, &private] {
        let ended = refuses(&mut renewal.server_on("127.0.0.1:0", &bank.api_url(), Some(key)));
        assert_eq!(ended.code, Some(2), "{key}: {ended:#?}");
        assert!(ended.stderr.contains("BOG_PUBLIC_KEY_FILE"), "{key}: {ended:#?}");
    }
    let mut nowhere = renewal.server(bank);
    nowhere.env("BOG_PUBLIC_KEY_FILE", "/nowhere/bank.pem");
    // Whose callbacks these would be, nobody knows.
    let unknown_bank = renewal.server_on("127.0.0.1:0", &bank.api_url(), None);
    let no_address = renewal.server_on("somewhere", &bank.api_url(), Some(&good));
    for mut command in [nowhere, unknown_bank, no_address] {
        assert_eq!(refuses(&mut command).code, Some(2), "{command:?}");
    }
    let server = waiting.start();
    let taken = server.address.to_string();
    let ended = refuses(&mut renewal.server_on(&taken, &bank.api_url(), Some(&good)));
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    assert!(ended.stderr.contains(&taken), "{ended:#?}");
    assert_eq!(waiting.tell(&server, |_| ()), Some(200), "the one that was there first is unharmed");
    server.stop();
    assert_eq!(renewal.books(), Books::paid());
}

fn a_sandboxs_signature_is_worth_nothing_in_production(backend: Backend) {
    let Some(waiting) = Waiting::accepted(backend) else { return };
    for api in ["https://api.bog.ge/payments/v1", "https://api-sandbox.bog.ge/payments/v1"] {
        let server = Server::start(&mut waiting.renewal.server_on("127.0.0.1:0", api, None)).unwrap();
        assert_eq!(server.health(), Some(200));
        assert_eq!(waiting.tell(&server, |_| ()), Some(401), "{api}");
        assert_eq!(waiting.renewal.books(), Books::open("accepted"), "{api}");
        server.stop();
    }
    let other = waiting.bank.other_public_key_pem();
    let api = waiting.bank.api_url();
    let server = Server::start(&mut waiting.renewal.server_on("127.0.0.1:0", &api, Some(&other))).unwrap();
    assert_eq!(waiting.tell(&server, |_| ()), Some(401));
    server.stop();
    // While a key is being replaced, a file may hold both.
    let both = format!("{other}\n{}", waiting.bank.public_key_pem());
    let server = Server::start(&mut waiting.renewal.server_on("127.0.0.1:0", &api, Some(&both))).unwrap();
    assert_eq!(waiting.tell(&server, |_| ()), Some(200));
    assert_eq!(waiting.renewal.books(), Books::paid());
    server.stop();
}
