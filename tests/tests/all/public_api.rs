//! What the library crates promise to other services: no public name is lost or changed unnoticed, and none
//! needs a library that is ours to exchange.
//!
//! The names are in each crate's `api.txt`, as rustdoc knows them. rustdoc says so as JSON, which is not
//! stable yet; `RUSTC_BOOTSTRAP` lets the stable one do it, and is set for rustdoc alone, since build scripts
//! look at it and everything would be compiled again.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use echodesk_core::Environment;
use public_api::{Builder, PublicApi};

const CRATES: [&str; 4] = ["echodesk-core", "echodesk-billing", "echodesk-mail", "echodesk-notify"];

/// What may stand in a public signature: the language, and values that are the standard ones of Rust.
const ALLOWED: [&str; 9] = ["core", "alloc", "std", "jiff", "uuid", "url", "rust_decimal", "serde_core", "serde"];

static ROOT: LazyLock<PathBuf> = LazyLock::new(|| Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned());

/// The folder in which rustdoc has written what it knows. One call for all crates.
static DOCUMENTED: LazyLock<PathBuf> = LazyLock::new(|| {
    let rustdoc = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rustdoc-json");
    // The rustdoc of this cargo, which may not be the first on the PATH.
    let real = Path::new(env!("CARGO")).with_file_name("rustdoc");
    let real = if real.is_file() { real.display().to_string() } else { "rustdoc".to_owned() };
    let script = format!("#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec '{real}' \"$@\"\n");
    // The same content keeps its time, so that cargo does not think that rustdoc is another one.
    if fs::read_to_string(&rustdoc).ok().as_ref() != Some(&script) {
        fs::write(&rustdoc, script).unwrap();
        fs::set_permissions(&rustdoc, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut cargo = Command::new(env!("CARGO"));
    // The whole workspace: with another choice of packages, libraries would have other features and be compiled again.
    cargo.args(["doc", "--workspace", "--lib", "--locked", "--no-deps", "--quiet"]).current_dir(&*ROOT);
    cargo.env("RUSTDOC", &rustdoc).env("RUSTDOCFLAGS", "-Zunstable-options --output-format=json");
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // This test is TARGET/PROFILE/deps/all-….
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join("doc")
});

/// The public API of a crate; `with_impls`: also what derives add, and which types are `Send` and `Sync`.
fn api(name: &str, with_impls: bool) -> PublicApi {
    let json = DOCUMENTED.join(format!("{}.json", name.replace('-', "_")));
    Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(!with_impls)
        .omit_auto_derived_impls(!with_impls)
        .build()
        // A newer compiler writes another version of the JSON: then Cargo.toml must name a newer public-api.
        .unwrap()
}

#[test]
fn no_public_name_is_lost_or_changed_unnoticed() {
    let environment = Environment::load("/dev/null".as_ref()).unwrap();
    let update = environment.get("ECHODESK_UPDATE_API").is_some();
    let mut changed = Vec::new();
    for name in CRATES {
        let now: BTreeSet<String> = api(name, false).items().map(ToString::to_string).collect();
        let file = ROOT.join("crates").join(name).join("api.txt");
        if update {
            let lines: Vec<_> = now.iter().map(|line| format!("{line}\n")).collect();
            fs::write(&file, lines.concat()).unwrap();
        }
        let then: BTreeSet<String> = fs::read_to_string(&file).unwrap_or_default().lines().map(str::to_owned).collect();
        changed.extend(then.difference(&now).map(|line| format!("- {line}")));
        changed.extend(now.difference(&then).map(|line| format!("+ {line}")));
    }
    assert!(
        changed.is_empty(),
        "the public API has changed:\n{}\n\n\
         A line with - breaks services that use it, unless its + is the same in all that they can write: say so in \
         CHANGELOG.md, and raise the version (0.1 to 0.2). A line with + is for CHANGELOG.md too.\n\
         Then: ECHODESK_UPDATE_API=1 cargo test -p echodesk-tests public_api, and commit crates/*/api.txt.",
        changed.join("\n")
    );
}

#[test]
fn no_public_name_needs_a_library_that_is_ours_to_exchange() {
    let mut leaks = Vec::new();
    for name in CRATES {
        let lines: Vec<String> = api(name, true).items().map(ToString::to_string).collect();
        assert!(lines.len() > 100, "{name} has a public API");
        leaks.extend(lines.into_iter().filter(|line| roots(line).any(|root| !is_allowed(root))));
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[test]
fn every_public_type_is_send_and_sync_and_can_be_shown() {
    let mut wrong = Vec::new();
    for name in CRATES {
        let lines: BTreeSet<String> = api(name, true).items().map(ToString::to_string).collect();
        wrong.extend(lines.iter().filter(|line| line.contains("!core::marker::S")).cloned());
        let shown: BTreeSet<&str> = lines.iter().filter_map(|line| implements(line, "core::fmt::Debug")).collect();
        let sent: BTreeSet<&str> = lines.iter().filter_map(|line| implements(line, "core::marker::Send")).collect();
        assert!(sent.len() > 10, "{name}: who is Send is known");
        let types = lines.iter().filter_map(|line| line.strip_prefix("pub enum ").or(line.strip_prefix("pub struct ")));
        let types = types.map(last);
        wrong.extend(types.filter(|path| !shown.contains(path)).map(|path| format!("{name}: {path} has no Debug")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The name of the type for which a line says that it implements a trait.
fn implements<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (before, path) = line.split_once(&format!(" {name} for ")).or(line.split_once(&format!("{name} for ")))?;
    before.starts_with("impl").then(|| last(path))
}

/// A type's name without its modules and parameters: it may be known under several paths.
fn last(path: &str) -> &str {
    let path = path.split(['<', '(', ' ']).next().unwrap_or(path);
    path.rsplit("::").next().unwrap_or(path)
}

fn is_allowed(root: &str) -> bool {
    ALLOWED.contains(&root) || root.starts_with("echodesk_")
}

/// The first part of each path in a signature: the crate.
fn roots(line: &str) -> impl Iterator<Item = &str> {
    let words = line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    words.filter_map(|word| word.split_once("::").map(|(root, _)| root)).filter(|root| {
        // Not `Self::Item`, nor the `T::Session` of a generic.
        root.starts_with(|c: char| c.is_ascii_lowercase())
    })
}

#[test]
fn crates_are_found_in_signatures() {
    let line = "pub fn a::b(&self, core::option::Option<reqwest::Error>, T::Item) -> Result<Self::X, lettre::E>";
    assert_eq!(roots(line).collect::<Vec<_>>(), ["a", "core", "reqwest", "lettre"]);
}
