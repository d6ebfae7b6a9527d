//! `echodesk-sandbox imap`, `bank` and `smtp`: the sandbox servers, to try clients against by hand.
#![expect(clippy::print_stdout, reason = "a program for people")]

mod smtp;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::{Parser, Subcommand};
use echodesk_core::{Clock as _, SystemClock};
use echodesk_tests::demo_mailbox::{ADDRESS, PASSWORD, demo_mailbox};
use echodesk_tests::sandbox::bank::{self, Card, SandboxBank, SeenRequest};
use echodesk_tests::sandbox::imap::{Behaviour, Mailstore, Misbehaviour, PLAIN, SandboxImap};
use rust_decimal::Decimal;

/// Servers of our own, in memory, on free ports of this machine.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    server: Server,
}

#[derive(Debug, Subcommand)]
enum Server {
    /// An IMAP server with the demo's mailbox, until it is interrupted.
    Imap {
        /// What it does wrong; may be given more than once.
        #[arg(long = "wrong", value_name = "NAME", value_parser = misbehaviour)]
        misbehaviours: Vec<Misbehaviour>,
        /// Offers IMAP4rev1 and no extension.
        #[arg(long)]
        plain: bool,
        /// Round-trip time in milliseconds.
        #[arg(long, default_value_t = 0)]
        round_trip: u64,
    },
    /// The Bank of Georgia's payment API with some saved cards, until it is interrupted.
    Bank(BankArguments),
    /// A mail server that takes every mail and delivers none, until it is interrupted.
    Smtp(smtp::Arguments),
}

#[derive(Debug, clap::Args)]
struct BankArguments {
    /// The port; any free one if it is not given.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// How long each call takes, in milliseconds.
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// How long a charge is under way, in seconds.
    #[arg(long, value_name = "SECS", default_value_t = 0)]
    settle_after: u64,
    /// Where callbacks go, whatever the charges say.
    #[arg(long, value_name = "URL")]
    callback_url: Option<String>,
    /// A saved card: the order it was saved with, what each charge is, and the code with which charges
    /// are rejected, if they are (107: not enough money). May be given more than once.
    #[arg(
        long = "card",
        value_name = "ORDER=AMOUNT[:CODE]",
        default_value = "22222222-2222-4222-8222-222222222222=25.5"
    )]
    cards: Vec<SavedCard>,
}

#[derive(Clone, Debug)]
struct SavedCard {
    order: String,
    amount: String,
    code: Option<String>,
}

impl FromStr for SavedCard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (order, rest) = text.split_once('=').ok_or("expected ORDER=AMOUNT[:CODE]")?;
        let (amount, code) = rest.split_once(':').map_or((rest, None), |(amount, code)| (amount, Some(code)));
        Decimal::from_str(amount).map_err(|_| format!("{amount} is not an amount such as 25.5"))?;
        Ok(Self { order: order.to_owned(), amount: amount.to_owned(), code: code.map(str::to_owned) })
    }
}

fn misbehaviour(name: &str) -> Result<Misbehaviour, String> {
    let names: Vec<&str> = Misbehaviour::ALL.iter().map(|(name, _)| *name).collect();
    Misbehaviour::named(name).ok_or_else(|| format!("known are: {}", names.join(", ")))
}

fn main() -> ExitCode {
    match Arguments::parse().server {
        Server::Imap { misbehaviours, plain, round_trip } => {
            let mut behaviour =
                Behaviour { misbehaviours, round_trip: Duration::from_millis(round_trip), ..Behaviour::default() };
            if plain {
                behaviour.capabilities = PLAIN.to_vec();
            }
            serve_mail(behaviour)
        }
        Server::Bank(arguments) => ended(serve_bank(&arguments)),
        Server::Smtp(arguments) => ended(smtp::serve(&arguments)),
    }
}

fn ended(result: Result<ExitCode, String>) -> ExitCode {
    result.unwrap_or_else(|problem| {
        println!("{problem}");
        ExitCode::FAILURE
    })
}

fn serve_mail(behaviour: Behaviour) -> ExitCode {
    let store = Mailstore::with(ADDRESS, demo_mailbox(SystemClock::new().now()));
    let server = SandboxImap::start(store, behaviour);
    println!("TLS       localhost:{}", server.port());
    println!("STARTTLS  localhost:{}", server.starttls_port());
    println!("user      {ADDRESS}");
    println!("password  {PASSWORD}");
    println!("CA file   {}", server.ca_file().display());
    let mut shown = 0;
    loop {
        std::thread::sleep(Duration::from_millis(100));
        let log = server.log();
        for line in &log[shown..] {
            println!("> {line}");
        }
        shown = log.len();
    }
}

fn serve_bank(arguments: &BankArguments) -> Result<ExitCode, String> {
    let behaviour = bank::Behaviour {
        latency: Duration::from_millis(arguments.latency_ms),
        settle_after: Some(Duration::from_secs(arguments.settle_after)),
        callbacks: bank::Callbacks { url: arguments.callback_url.clone(), ..bank::Callbacks::default() },
        ..bank::Behaviour::default()
    };
    let bank = SandboxBank::start_on(arguments.port, behaviour)
        .map_err(|error| format!("cannot listen on port {}: {error}", arguments.port))?;
    for SavedCard { order, amount, code } in &arguments.cards {
        bank.add_card(order, amount, code.as_deref().map_or_else(Card::pays, Card::rejected));
    }
    let key_file = key_file(&bank).map_err(|error| format!("cannot write the public key: {error}"))?;
    println!("export BOG_AUTH_URL={}", bank.token_url());
    println!("export BOG_API_BASE_URL={}", bank.api_url());
    println!("export BOG_CLIENT_ID={}", bank.client_id());
    println!("export BOG_CLIENT_SECRET='{}'", bank.client_secret());
    println!("export BOG_PUBLIC_KEY_FILE={}", key_file.display());
    let (mut shown, mut captured, mut delivered) = (0, 0, 0);
    loop {
        std::thread::sleep(Duration::from_millis(100));
        // In the order of their arrival, each with what it was answered.
        for request in bank.requests_since(shown).iter().take_while(|request| request.status.is_some()) {
            println!("> {}", line(request));
            shown += 1;
        }
        for capture in bank.captures_since(captured) {
            println!("$ {} {} {}", capture.amount, capture.currency, capture.external_id.as_deref().unwrap_or("-"));
            captured += 1;
        }
        for delivery in bank.deliveries().iter().skip(delivered) {
            let answered = delivery.status.map_or("not answered".to_owned(), |status| status.to_string());
            println!("< callback of order {}: {answered}", delivery.order_id);
            delivered += 1;
        }
    }
}

fn line(request: &SeenRequest) -> String {
    let status = request.status.map(|status| status.to_string()).unwrap_or_default();
    let mut line = format!("{status} {} {}", request.method, request.path);
    for (name, value) in [("key", &request.key), ("external id", &request.external_id)] {
        if let Some(value) = value {
            line.push_str(&format!("  {name} {value}"));
        }
    }
    if request.replayed {
        line.push_str("  (answered before)");
    }
    line
}

fn key_file(bank: &SandboxBank) -> std::io::Result<PathBuf> {
    let mut file = tempfile::Builder::new().prefix("echodesk-sandbox-").suffix(".pem").tempfile()?;
    file.write_all(bank.public_key_pem().as_bytes())?;
    Ok(file.keep()?.1)
}
