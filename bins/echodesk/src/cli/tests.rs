use clap::CommandFactory;

use super::*;

fn parse(line: &str) -> Result<Command, String> {
    let words = std::iter::once("echodesk").chain(line.split_whitespace());
    Cli::try_parse_from(words).map(|cli| cli.command).map_err(|error| error.to_string())
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_documented_command_is_understood() {
    for line in [
        "migrate",
        "migrate --tenant acme --database-url sqlite://d",
        "--database-url sqlite://d migrate",
        "tenant add acme --name Acme --admin-email a@b.c --admin-name Ann --language ka --domain a.b",
        "tenant list --json",
        "mailbox add --tenant acme --email a@b.c --imap-host h --imap-port 143 --starttls --username u \
         --folder Sales --days-back 0 --password-stdin",
        "mailbox list --tenant acme --json",
        "mailbox enable 7 --tenant acme",
        "mailbox enable acme/7",
        "mailbox enable --all --tenant acme",
        "tenant subscribe acme --expires 2026-12-01 --agents 5 --price 20.50 --card b-1",
        "tenant subscribe acme --expires 2026-12-01T08:00:00Z --agents 1 --price 0",
        "orders list",
        "orders list --open --tenant acme --json",
        "orders list --unknown",
        "orders list --all",
        "orders resolve REC-1 --paid --because statement",
        "orders resolve REC-1 --failed --because statement",
        "callbacks serve --listen 127.0.0.1:0",
        "callbacks serve --listen [::1]:8787 --log-format json",
        "notices list",
        "notices list --queued --parked --sent --withdrawn --tenant acme --limit 5 --json",
        "notices retry 7 8",
        "notices retry --all --tenant acme",
        "notices preview reminder",
        "notices preview mailbox_switched_off --language ru --html -",
        "forecast",
        "forecast --days 90 --tenant acme --json --as-of 2026-12-01 --if declined --days-before 5 --grace-days 9",
        "forecast --status-grace-days 90 --payments-at 02:00,14:30 --status-at 23:59",
        "send-test-email a@b.example --language ka",
        "check --tenant acme --json --ca-file ca.pem --jobs 2",
    ] {
        parse(line).unwrap();
    }
}

#[test]
fn a_mailbox_needs_no_more_than_tenant_address_and_host() {
    let Ok(Command::Mailbox(MailboxCommand::Add(args))) =
        parse("mailbox add --tenant acme --email a@b.c --imap-host imap.b.c")
    else {
        panic!("not understood")
    };
    assert_eq!((args.days_back, args.folder.as_str(), args.starttls), (365, "INBOX", false));
    assert!(args.imap_port.is_none() && args.username.is_none() && !args.password_stdin);
}

#[test]
fn what_cannot_be_stored_is_refused_by_name() {
    let add = "mailbox add --tenant acme --email a@b.c --imap-host h";
    let table = [
        ("tenant add pg_x --name n --admin-email a@b.c".to_owned(), "reserved"),
        ("tenant add acme --name n --admin-email nobody".to_owned(), "name@domain"),
        ("tenant add acme --name n --admin-email a@b.c --language de".to_owned(), "en, ka, ru"),
        ("mailbox add --tenant acme --email a@b.c".to_owned(), "--imap-host <HOST>"),
        ("mailbox add --tenant acme --email a@b.c --imap-host imap://h".to_owned(), "not a host name"),
        (format!("{add} --imap-port 0"), "1..=65535"),
        (format!("{add} --imap-port 70000"), "1..=65535"),
        (format!("{add} --days-back=-1"), "0..=36500"),
        (format!("{add} --password hunter2"), "--password"),
        ("mailbox enable seven".to_owned(), "SCHEMA/ID"),
        ("mailbox enable".to_owned(), "<ID>"),
        ("mailbox enable --all".to_owned(), "--tenant <SCHEMA>"),
        ("mailbox enable acme/7 --all --tenant acme".to_owned(), "cannot be used with"),
        ("tenant subscribe acme --expires soon --agents 5 --price 20".to_owned(), "2026-12-01"),
        ("tenant subscribe acme --expires 2026-12-01 --agents 0 --price 20".to_owned(), "1..=1000000"),
        ("tenant subscribe acme --expires 2026-12-01 --agents 5 --price=-1".to_owned(), "negative"),
        ("tenant subscribe acme --expires 2026-12-01 --agents 5 --price 0.001".to_owned(), "two decimals"),
        ("orders list --open --unknown".to_owned(), "cannot be used with"),
        ("orders resolve REC-1 --because x".to_owned(), "--paid"),
        ("orders resolve REC-1 --paid --failed --because x".to_owned(), "cannot be used with"),
        ("orders resolve REC-1 --paid".to_owned(), "--because"),
        ("orders resolve REC-1 --paid --because=".to_owned(), "--because"),
        ("callbacks serve".to_owned(), "--listen"),
        ("callbacks serve --listen 8787".to_owned(), "--listen"),
        ("notices list --limit 0".to_owned(), "must be at least 1"),
        ("notices retry".to_owned(), "<ID>"),
        ("notices retry 7 --all".to_owned(), "cannot be used with"),
        ("notices retry seven".to_owned(), "expected a number"),
        ("notices retry 0".to_owned(), "expected a number"),
        ("notices preview nothing".to_owned(), "grace_warning"),
        ("notices preview".to_owned(), "<KIND>"),
        ("notices preview reminder --language de".to_owned(), "en, ka, ru"),
        ("forecast --days 0".to_owned(), "1..=90"),
        ("forecast --days 91".to_owned(), "1..=90"),
        ("forecast --if unknown".to_owned(), "paid, declined"),
        ("forecast --payments-at 2am".to_owned(), "02:00"),
        ("forecast --status-at 24:00".to_owned(), "02:00"),
        ("forecast --as-of tomorrow".to_owned(), "2026-12-01T10:00:00Z"),
        ("send-test-email nobody".to_owned(), "name@domain"),
        ("check --jobs 0".to_owned(), "must be at least 1"),
    ];
    for (line, part) in table {
        let error = parse(&line).unwrap_err();
        assert!(error.contains(part), "{line}: {error}");
    }
}

#[test]
fn the_help_is_worth_reading() {
    insta::assert_snapshot!(Cli::command().term_width(100).render_long_help());
}

#[test]
fn the_help_of_adding_a_mailbox_is_worth_reading() {
    let mut command = Cli::command().term_width(100);
    command.build();
    let mailbox = command.find_subcommand_mut("mailbox").unwrap();
    insta::assert_snapshot!(mailbox.find_subcommand_mut("add").unwrap().render_long_help());
}

#[test]
fn a_reason_must_say_something() {
    let blank = ["echodesk", "orders", "resolve", "REC-1", "--paid", "--because", "  "];
    let error = Cli::try_parse_from(blank).unwrap_err().to_string();
    assert!(error.contains("cannot be empty"), "{error}");
}

#[test]
fn the_help_of_billing_is_worth_reading() {
    let mut command = Cli::command().term_width(100);
    command.build();
    let mut help = String::new();
    for (group, name) in [("tenant", "subscribe"), ("orders", "list"), ("orders", "resolve"), ("callbacks", "serve")] {
        let group = command.find_subcommand_mut(group).unwrap();
        // What every command has is in the help of the whole.
        let text = group.find_subcommand_mut(name).unwrap().render_long_help().to_string();
        help.push_str(text.split("\nDatabase:").next().unwrap());
    }
    insta::assert_snapshot!(help);
}

#[test]
fn the_help_of_notices_is_worth_reading() {
    let mut command = Cli::command().term_width(100);
    command.build();
    let mut help = String::new();
    let mut add = |command: &mut clap::Command| {
        let text = command.render_long_help().to_string();
        help.push_str(text.split("\nDatabase:").next().unwrap());
    };
    let notices = command.find_subcommand_mut("notices").unwrap();
    for name in ["list", "retry", "preview"] {
        add(notices.find_subcommand_mut(name).unwrap());
    }
    add(command.find_subcommand_mut("send-test-email").unwrap());
    insta::assert_snapshot!(help);
}

#[test]
fn the_help_of_forecast_is_worth_reading() {
    let mut command = Cli::command().term_width(100);
    command.build();
    let help = command.find_subcommand_mut("forecast").unwrap().render_long_help().to_string();
    insta::assert_snapshot!(help);
}
