//! Is there a setting that nobody reads, because its name is misspelt or was made up?

mod foreign;

use std::collections::BTreeSet;

use echodesk_core::{Environment, Origin};
use echodesk_job::settings::names;

use super::super::finding::Finding;

/// Names that begin so are ours, or are EchoDesk's for what we read too.
const PREFIXES: [&str; 6] = ["ECHODESK_", "BOG_", "EMAIL_", "DB_", "DATABASE_", "AWS_S3_"];

const UNKNOWN: &str = "take it out, or see `echodesk --help` for the names that are read";

/// One finding for each name that nobody reads, or one that all are known.
pub(super) fn check(environment: &Environment) -> Vec<Finding> {
    let known = names::known();
    let is_set = |name: &&str| environment.get(name).is_some();
    let set: Vec<&str> = environment.names().filter(is_set).collect();
    let unread: Vec<Finding> = set
        .iter()
        .filter_map(|name| Some((*name, judge(name, &known)?)))
        .map(|(name, meant)| finding(name, meant, environment.origin(name)))
        .collect();
    if !unread.is_empty() {
        return unread;
    }
    let count = set.iter().filter(|name| known.contains(*name)).count();
    let noun = if count == 1 { "is set" } else { "are set" };
    vec![Finding::ok("settings", "names", format!("none is misspelt; {count} that the jobs read {noun}"))]
}

fn finding(name: &str, meant: Option<&str>, origin: Option<Origin>) -> Finding {
    let place = match origin {
        Some(Origin::DotEnv { line }) => format!(".env, line {line}"),
        Some(Origin::Process) | None => "the environment".to_owned(),
    };
    let remedy = meant.map_or_else(|| UNKNOWN.to_owned(), |meant| format!("did you mean {meant}?"));
    Finding::failed("settings", name, format!("nobody reads this name (it is in {place})"), remedy).warning()
}

/// None if a name is not to be complained of; else what may have been meant by it, if anything.
fn judge<'a>(name: &str, known: &BTreeSet<&'a str>) -> Option<Option<&'a str>> {
    if known.contains(name) || foreign::is_known(name) {
        return None;
    }
    let upper = name.to_ascii_uppercase();
    if let Some(meant) = slip_of(&upper, known) {
        return Some(Some(meant));
    }
    let is_ours = PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    is_ours.then(|| closest(name, known))
}

/// The name that a slip of the pen has made `name` of: a letter or two left out, doubled, exchanged. Names of
/// others that are as short as ours need be no slips.
fn slip_of<'a>(name: &str, known: &BTreeSet<&'a str>) -> Option<&'a str> {
    let allowed = if name.len() < 10 { 1 } else { 2 };
    let distance = |candidate: &&str| strsim::damerau_levenshtein(name, candidate);
    known
        .iter()
        .copied()
        .map(|candidate| (distance(&candidate), candidate))
        .min()
        .filter(|(d, _)| *d <= allowed)
        .map(|(_, c)| c)
}

/// The name that is meant by one with a prefix of ours, as far as one is likely.
fn closest<'a>(name: &str, known: &BTreeSet<&'a str>) -> Option<&'a str> {
    /// Jaro-Winkler similarity, which counts the beginning for more: names are cut short at their end.
    const ENOUGH: f64 = 0.9;
    let likeness = |candidate: &str| strsim::jaro_winkler(name, candidate);
    let scored = known.iter().map(|candidate| (likeness(candidate), *candidate));
    scored.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(score, _)| *score >= ENOUGH).map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finding::Verdict;

    fn told(name: &str) -> Option<String> {
        let found = check(&[(name, "hunter2")].into_iter().collect());
        let [finding] = &found[..] else { panic!("{found:?}") };
        assert!(!format!("{finding:?}").contains("hunter2"), "{finding:?}");
        let is_warning = finding.verdict == Verdict::Warning;
        is_warning.then(|| finding.remedy.clone().unwrap())
    }

    #[test]
    fn a_misspelt_name_is_told_with_what_was_meant() {
        for (name, meant) in [
            ("DATABSE_URL", "DATABASE_URL"),
            ("DEFAULT_FORM_EMAIL", "DEFAULT_FROM_EMAIL"),
            ("SECRET_KEYS", "SECRET_KEY"),
            ("secret_key", "SECRET_KEY"),
            ("ECHODESK_SECRET", "ECHODESK_SECRET_KEY"),
            ("ECHODESK_TIMEZONE", "ECHODESK_TIME_ZONE"),
            ("EMAIL_HOST_PASS", "EMAIL_HOST_PASSWORD"),
            ("BOG_CALLBACK", "BOG_CALLBACK_URL"),
            ("DB_PASS", "DB_PASSWORD"),
        ] {
            assert_eq!(told(name), Some(format!("did you mean {meant}?")), "{name}");
        }
    }

    #[test]
    fn a_name_with_a_prefix_of_ours_that_nobody_reads_is_told() {
        for name in ["ECHODESK_COLOUR_OF_THE_SKY", "BOG_WHATEVER_ELSE"] {
            assert_eq!(told(name), Some(UNKNOWN.to_owned()), "{name}");
        }
    }

    #[test]
    fn what_others_read_is_left_alone() {
        for name in names::known() {
            assert_eq!(told(name), None, "{name}");
        }
        for name in [
            "EMAIL_SUBJECT_PREFIX",
            "DB_ENGINE",
            "AWS_STORAGE_BUCKET_NAME",
            "AWS_S3_CUSTOM_DOMAIN",
            "SECRET_KEY_FALLBACKS",
            "ECHODESK_SERVICE_HOST",
            "DB_PORT_5432_TCP_ADDR",
            "PATH",
            "TERM",
            "HOME",
            "DEBUG",
            "ALLOWED_HOSTS",
            "REDIS_URL",
            "PGPASSWORD",
        ] {
            assert_eq!(told(name), None, "{name}");
        }
        let blank = check(&[("DATABSE_URL", "")].into_iter().collect());
        assert_eq!(blank[0].verdict, Verdict::Ok, "what is not set does no harm");
    }

    #[test]
    fn it_is_told_where_a_name_stands() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        std::fs::write(&path, "# ours\nECHODESK_SECRT_KEY=hunter2\n").unwrap();
        let found = check(&Environment::load(&path).unwrap());
        let found = found.iter().find(|finding| finding.subject == "ECHODESK_SECRT_KEY").unwrap();
        assert_eq!(found.detail, "nobody reads this name (it is in .env, line 2)");
    }
}
