//! What is in `deploy/`: that the programs of the system take it, and that it is what it claims to be.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("deploy")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(deploy().join(name)).unwrap()
}

fn tool(program: &str, package: &str) -> Option<PathBuf> {
    let folders = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"];
    let found = folders.iter().map(|folder| Path::new(folder).join(program)).find(|path| path.is_file());
    found.or_else(|| echodesk_test_servers::missing(program, package))
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A root folder with the units and the programs they start.
fn root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let units = root.path().join("etc/systemd/system");
    std::fs::create_dir_all(units.join("echodesk-.service.d")).unwrap();
    std::fs::create_dir_all(root.path().join("usr/bin")).unwrap();
    let common = "echodesk-.service.d/10-common.conf";
    std::fs::copy(deploy().join("systemd").join(common), units.join(common)).unwrap();
    for unit in units_of("") {
        std::fs::copy(deploy().join("systemd").join(&unit), units.join(&unit)).unwrap();
    }
    for program in ["echodesk", "sync-emails", "recurring-payments", "subscription-status"] {
        let from = echodesk_tests::processes::program_path(program);
        std::os::unix::fs::symlink(from, root.path().join("usr/bin").join(program)).unwrap();
    }
    root
}

/// The names of units that end so.
fn units_of(suffix: &str) -> Vec<String> {
    let entries = std::fs::read_dir(deploy().join("systemd")).unwrap().map(Result::unwrap);
    let files = entries.filter(|entry| entry.path().is_file());
    let mut names: Vec<String> = files.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(suffix));
    names.sort();
    names
}

#[test]
fn systemd_takes_every_unit_and_finds_little_that_it_could_do_harm_with() {
    let Some(analyze) = tool("systemd-analyze", "systemd") else { return };
    let services = units_of(".service");
    assert_eq!((services.len(), units_of(".timer").len()), (4, 3));
    let folder = deploy().join("systemd");
    for service in &services {
        // Of 10, where 0 is nothing at all.
        let security = Command::new(&analyze)
            .args(["security", "--offline=yes", "--no-pager", "--threshold=20"])
            .arg(folder.join(service))
            .output()
            .unwrap();
        assert!(security.status.success(), "{service}: {}", said(&security));
    }
    let root = root();
    let units = root.path().join("etc/systemd/system");
    let verified = Command::new(&analyze)
        .args(["verify", "--man=no"])
        .args(units_of("").iter().map(|unit| units.join(unit)))
        .output()
        .unwrap();
    // The programs are not in /usr/bin of this machine; everything else that is complained of is a mistake.
    let text = said(&verified);
    let complaints: Vec<&str> =
        text.lines().filter(|line| line.contains("echodesk-") && !line.contains("is not executable")).collect();
    assert_eq!(complaints, [""; 0]);
}

#[test]
fn logrotate_takes_the_file() {
    let Some(logrotate) = tool("logrotate", "logrotate") else { return };
    let folder = tempfile::tempdir().unwrap();
    // The user that it names exists on machines with the package only.
    let text: String = read("logrotate").replace("su echodesk adm", "").replace("0640 echodesk adm", "0640");
    let file = folder.path().join("echodesk-jobs");
    std::fs::write(&file, text).unwrap();
    let state = folder.path().join("state");
    let tried = Command::new(logrotate).arg("--debug").arg("--state").arg(&state).arg(&file).output().unwrap();
    assert!(tried.status.success() && !said(&tried).contains("error:"), "{}", said(&tried));
    assert!(said(&tried).contains("/var/log/echodesk/*.log"), "{}", said(&tried));
}

/// A line of the crontab: schedule, command, log.
fn parsed(line: &str, user: bool) -> (String, String, String) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (schedule, rest) = words.split_at(5);
    for field in schedule {
        assert!(field.chars().all(|c| c.is_ascii_digit() || "*/,".contains(c)), "{line}");
    }
    let rest = if user {
        assert_eq!(rest[0], "echodesk", "{line}");
        &rest[1..]
    } else {
        rest
    };
    let (command, log) = rest.join(" ").split_once(" >> ").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert!(!line.contains('%'), "cron ends a line there");
    (schedule.join(" "), command, log)
}

#[test]
fn each_line_of_the_crontab_stands_beside_the_one_that_it_replaces() {
    let text = read("crontab");
    assert!(text.ends_with('\n'), "cron ignores a last line without an end");
    let lines: Vec<&str> = text.lines().collect();
    let old = |line: &&str| line.strip_prefix("# was: ").is_some();
    let mut seen = Vec::new();
    for (number, line) in lines.iter().enumerate().filter(|(_, line)| old(line)) {
        let (schedule, was, log) = parsed(line.strip_prefix("# was: ").unwrap(), false);
        let (new_schedule, is, new_log) = parsed(lines[number + 1], true);
        // More often, perhaps, but then as well.
        let hours = |schedule: &str| schedule.split(' ').nth(1).unwrap().split(',').next().unwrap().to_owned();
        assert_eq!((hours(&schedule), &log), (hours(&new_schedule), &new_log));
        seen.push((
            was.rsplit(' ').next().unwrap().to_owned(),
            is.rsplit(' ').next().unwrap().to_owned(),
            new_schedule,
        ));
    }
    let expected = [
        ("sync_emails", "sync-emails", "*/5 * * * *"),
        ("process_recurring_payments", "recurring-payments", "0 2,8,14,20 * * *"),
        ("check_subscription_status", "subscription-status", "0 3 * * *"),
    ];
    assert_eq!(seen, expected.map(|(was, is, when)| (was.to_owned(), is.to_owned(), when.to_owned())));
}
