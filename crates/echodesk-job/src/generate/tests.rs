use clap::{Arg, Parser};

use super::*;

/// Sort things
///
/// Things are sorted by what they are.
#[derive(Parser)]
#[command(
    name = "probe",
    version,
    after_long_help = "\
Examples:
  probe first --deep      look further
  .probe                  begins with a dot

Exit codes (as usual):
  0   done

It is safe to sort twice."
)]
struct Probe {
    /// Where they are
    #[arg(long, global = true, value_name = "PLACE")]
    place: Option<String>,
    #[command(subcommand)]
    command: Commands,
}

#[derive(clap::Subcommand)]
enum Commands {
    /// The first things
    First {
        /// Deeper
        #[arg(long)]
        deep: bool,
    },
    /// More things
    #[command(subcommand)]
    More(More),
}

#[derive(clap::Subcommand)]
enum More {
    /// The last of them
    Last {
        /// Which
        name: String,
    },
}

fn made(kind: Kind) -> String {
    String::from_utf8(generate(kind, Probe::command()).unwrap()).unwrap()
}

#[test]
fn it_is_recognised_alone_and_first_and_explained_otherwise() {
    let table = [
        ("", None),
        ("--place x", None),
        ("--generated man", None),
        ("first --generate man", None),
        ("--generate man", Some(Ok(Kind::Man))),
        ("--generate=complete-fish", Some(Ok(Kind::Complete(Shell::Fish)))),
        ("--generate", Some(Err("man, complete-bash, complete-zsh, complete-fish"))),
        ("--generate html", Some(Err("takes one of man"))),
        ("--generate man first", Some(Err("\"first\""))),
    ];
    for (line, expected) in table {
        let found = wanted(line.split_whitespace().map(OsString::from));
        match (&found, expected) {
            (None, None) => {}
            (Some(Ok(found)), Some(Ok(expected))) => assert_eq!(*found, expected, "{line}"),
            (Some(Err(said)), Some(Err(part))) => assert!(said.contains(part), "{line}: {said}"),
            _ => panic!("{line}: {found:?}"),
        }
    }
}

#[test]
fn the_page_has_every_command_and_keeps_tables() {
    insta::assert_snapshot!(made(Kind::Man));
}

#[test]
fn every_flag_is_in_every_kind() {
    for (name, kind) in KINDS {
        let text = made(kind).replace('\\', "");
        for flag in Probe::command().get_subcommands().flat_map(|command| command.get_arguments().collect::<Vec<_>>()) {
            let long = flag.get_long().unwrap_or("place");
            assert!(text.contains(long), "{name} lacks {long}:\n{text}");
        }
    }
}

#[test]
fn what_is_hidden_is_left_out() {
    let command = clap::Command::new("probe").arg(Arg::new("inner").long("inner").hide(true));
    let text = String::from_utf8(generate(Kind::Man, command).unwrap()).unwrap();
    assert!(!text.contains("inner"), "{text}");
}
