//! What `deny.toml` says of dependencies, and that each is used: checked with what cargo itself knows,
//! since cargo-deny and cargo-machete take longer to install than everything else here takes to run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The strings of a list in `deny.toml`.
fn listed(section: &str, list: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join("deny.toml")).unwrap();
    let text = text.split(&format!("\n[{section}]")).nth(1).unwrap();
    let text = text.split(&format!("\n{list} = [\n")).nth(1).unwrap().split("\n]").next().unwrap();
    text.lines()
        .filter(|line| !line.contains("wrappers"))
        .filter_map(|line| line.split('"').nth(1))
        .map(str::to_owned)
        .collect()
}

fn array<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}

/// Whether a licence expression can be satisfied: `OR` needs one side, `AND` both.
fn allowed(expression: &str, licences: &BTreeSet<String>) -> bool {
    let expression = expression.replace('/', " OR ");
    let tokens: Vec<String> =
        expression.replace('(', " ( ").replace(')', " ) ").split_whitespace().map(str::to_owned).collect();
    let mut rest = &tokens[..];
    let result = any(&mut rest, licences);
    result && rest.is_empty()
}

fn any(rest: &mut &[String], licences: &BTreeSet<String>) -> bool {
    let mut result = all(rest, licences);
    while rest.first().is_some_and(|token| token == "OR") {
        *rest = &rest[1..];
        result |= all(rest, licences);
    }
    result
}

fn all(rest: &mut &[String], licences: &BTreeSet<String>) -> bool {
    let mut result = one(rest, licences);
    while rest.first().is_some_and(|token| token == "AND") {
        *rest = &rest[1..];
        result &= one(rest, licences);
    }
    result
}

fn one(rest: &mut &[String], licences: &BTreeSet<String>) -> bool {
    let Some((first, after)) = rest.split_first() else { return false };
    *rest = after;
    if first == "(" {
        let result = any(rest, licences);
        let closed = rest.first().is_some_and(|token| token == ")");
        *rest = rest.get(1..).unwrap_or_default();
        return result && closed;
    }
    let mut licence = first.clone();
    if let [with, exception, after @ ..] = *rest
        && with == "WITH"
    {
        licence = format!("{licence} WITH {exception}");
        *rest = after;
    }
    licences.contains(&licence)
}

#[test]
fn licence_expressions_are_understood() {
    let licences: BTreeSet<String> = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).into();
    for yes in ["MIT", "GPL-3.0 OR MIT", "MIT/GPL-3.0", "(GPL-3.0 OR MIT) AND ISC", "Apache-2.0 WITH LLVM-exception"] {
        assert!(allowed(yes, &licences), "{yes}");
    }
    for no in ["", "GPL-3.0", "MIT AND GPL-3.0", "Apache-2.0", "(MIT", "MIT ISC"] {
        assert!(!allowed(no, &licences), "{no}");
    }
}

#[test]
fn licences_sources_and_bans_are_as_deny_toml_says() {
    let (licences, banned) = (listed("licenses", "allow"), listed("bans", "deny"));
    assert!(licences.contains("MIT") && banned.contains("rustls"), "deny.toml is read");
    let mut wrong = Vec::new();
    for package in array(&metadata(), "packages") {
        let name = package["name"].as_str().unwrap();
        let licence = package["license"].as_str().unwrap_or("none");
        if !allowed(licence, &licences) {
            wrong.push(format!("{name}: licence {licence}"));
        }
        let source = package["source"].as_str();
        if source.is_some_and(|source| source != "registry+https://github.com/rust-lang/crates.io-index") {
            wrong.push(format!("{name}: comes from {}", source.unwrap_or_default()));
        }
        if banned.contains(name) {
            wrong.push(format!("{name}: banned"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_dependency_is_used() {
    let metadata = metadata();
    let members: Vec<&Value> = array(&metadata, "workspace_members").collect();
    let mut unused = Vec::new();
    for package in array(&metadata, "packages").filter(|package| members.contains(&&package["id"])) {
        let folder = Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned();
        let mut source = String::new();
        read_sources(&folder, &mut source);
        for dependency in array(package, "dependencies") {
            let name = dependency["rename"].as_str().or(dependency["name"].as_str()).unwrap();
            // A -sys crate is named to choose how a C library is built: using it is linking it.
            if !name.ends_with("-sys") && !mentions(&source, &library_name(&metadata, name)) {
                unused.push(format!("{} does not use {name}", package["name"]));
            }
        }
    }
    assert!(unused.is_empty(), "{unused:#?}");
}

/// The name that code calls a package by: `md-5` is `md5`.
fn library_name(metadata: &Value, package: &str) -> String {
    let library = array(metadata, "packages")
        .filter(|candidate| candidate["name"] == package)
        .flat_map(|candidate| array(candidate, "targets"))
        .find(|target| array(target, "kind").any(|kind| kind == "lib" || kind == "proc-macro"));
    library.and_then(|target| target["name"].as_str()).unwrap_or(package).replace('-', "_")
}

fn mentions(source: &str, name: &str) -> bool {
    let word = |character: char| character.is_alphanumeric() || character == '_';
    source.match_indices(name).any(|(at, _)| {
        !source[..at].chars().next_back().is_some_and(word)
            && !source[at + name.len()..].chars().next().is_some_and(word)
    })
}

/// All Rust sources and READMEs (their examples are compiled) of a package, but not of one inside it.
fn read_sources(folder: &Path, source: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() && !path.join("Cargo.toml").exists() && !path.ends_with("target") {
            read_sources(&path, source);
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "md") {
            source.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}
