//! One manual page for a program with all its commands: what is in one page can be searched.

use std::io::{self, Write};

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

/// The page of a program.
pub(super) fn page(command: Command) -> io::Result<Vec<u8>> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut page = Vec::new();
    let man = Man::new(command.clone());
    title(&command, &mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        Roff::new().control("SH", ["COMMANDS"]).to_writer(&mut page)?;
        subcommands(&command, &mut page)?;
    }
    if let Some(text) = command.get_after_long_help() {
        sections(&text.to_string(), &mut page)?;
    }
    Ok(with_one_preamble(&page).into_bytes())
}

/// The library leaves an empty date out, and everything after it moves up.
fn title(command: &Command, page: &mut dyn Write) -> io::Result<()> {
    let (name, version) = (command.get_name(), command.get_version().unwrap_or_default());
    writeln!(page, r#".TH "{name}" "1" "" "{name} {version}" "EchoDesk jobs""#)
}

/// Each piece begins by saying what an apostrophe is; once is enough.
fn with_one_preamble(page: &[u8]) -> String {
    let page = String::from_utf8_lossy(page);
    let is_preamble = |line: &str| line.starts_with(".ie ") || line.starts_with(".el ");
    // The title, then the first piece.
    let lines = page.lines().enumerate().filter(|(number, line)| *number < 3 || !is_preamble(line));
    lines.flat_map(|(_, line)| [line.trim_end(), "\n"]).collect()
}

/// Every command that can be called, each with its own flags: those of the program stand above.
fn subcommands(command: &Command, page: &mut dyn Write) -> io::Result<()> {
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        if subcommand.has_subcommands() {
            subcommands(subcommand, page)?;
            continue;
        }
        let name = subcommand.get_bin_name().unwrap_or_else(|| subcommand.get_name());
        Roff::new().control("SS", [name]).to_writer(page)?;
        let own = subcommand.clone().mut_args(|argument| {
            let shared = argument.is_global_set() || matches!(argument.get_id().as_str(), "help" | "version");
            argument.hide(shared)
        });
        let man = Man::new(own);
        let mut text = Vec::new();
        man.render_synopsis_section(&mut text)?;
        Roff::new().control("PP", []).to_writer(&mut text)?;
        man.render_description_section(&mut text)?;
        man.render_options_section(&mut text)?;
        page.write_all(without_headings(&text).as_bytes())?;
    }
    Ok(())
}

/// Sections of one's own would end that of the commands.
fn without_headings(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.lines().filter(|line| !line.starts_with(".SH ")).flat_map(|line| [line, "\n"]).collect()
}

/// What stands below the flags in `--help`: a paragraph whose first line ends in a colon is a section, and its
/// lines are kept as they are; any other is text.
fn sections(text: &str, page: &mut dyn Write) -> io::Result<()> {
    let mut roff = Roff::new();
    let mut notes = false;
    for paragraph in text.split("\n\n") {
        let (first, rest) = paragraph.split_once('\n').unwrap_or((paragraph, ""));
        match first.strip_suffix(':').filter(|_| rest.starts_with("  ")) {
            Some(heading) => {
                let (heading, remark) = heading.split_once(" (").unwrap_or((heading, ""));
                roff.control("SH", [heading.to_uppercase().as_str()]);
                if let Some(remark) = remark.strip_suffix(')') {
                    roff.text([roman(format!("{remark}:"))]);
                }
                roff.control("nf", []);
                for line in rest.lines() {
                    let line = line.strip_prefix("  ").unwrap_or(line);
                    roff.text([roman(line)]);
                }
                roff.control("fi", []);
                notes = false;
            }
            None => {
                if notes {
                    roff.control("PP", []);
                } else {
                    roff.control("SH", ["NOTES"]);
                }
                for line in paragraph.lines() {
                    roff.text([roman(line)]);
                }
                notes = true;
            }
        }
    }
    roff.to_writer(page)
}
