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
