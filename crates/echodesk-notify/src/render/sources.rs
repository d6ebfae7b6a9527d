//! The templates that are built in.

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/", $name)))),*]
    };
}

/// Names and sources. The names are those under which a folder replaces them.
pub(super) const BUILT_IN: &[(&str, &str)] = built_in![
    "layout.html",
    "layout.txt",
    "en/confirmation_needed.txt",
    "en/footer.txt",
    "en/grace_warning.txt",
    "en/greeting.txt",
    "en/mailbox_switched_off.txt",
    "en/paid_until.txt",
    "en/payment_failed.txt",
    "en/price_changed.txt",
    "en/reactivated.txt",
    "en/reminder.txt",
    "en/renewal.txt",
    "en/renewal_paid.txt",
    "en/sign_in.txt",
    "en/suspended.txt",
    "en/urgent_reminder.txt",
    "ka/confirmation_needed.txt",
    "ka/footer.txt",
    "ka/grace_warning.txt",
    "ka/greeting.txt",
    "ka/mailbox_switched_off.txt",
    "ka/paid_until.txt",
    "ka/payment_failed.txt",
    "ka/price_changed.txt",
    "ka/reactivated.txt",
    "ka/reminder.txt",
    "ka/renewal.txt",
    "ka/renewal_paid.txt",
    "ka/sign_in.txt",
    "ka/suspended.txt",
    "ka/urgent_reminder.txt",
    "ru/confirmation_needed.txt",
    "ru/footer.txt",
    "ru/grace_warning.txt",
    "ru/greeting.txt",
    "ru/mailbox_switched_off.txt",
    "ru/paid_until.txt",
    "ru/payment_failed.txt",
    "ru/price_changed.txt",
    "ru/reactivated.txt",
    "ru/reminder.txt",
    "ru/renewal.txt",
    "ru/renewal_paid.txt",
    "ru/sign_in.txt",
    "ru/suspended.txt",
    "ru/urgent_reminder.txt",
];

/// The built-in source of a name.
pub(super) fn built_in(name: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, source)| *source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_built_in() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        let mut files = vec!["layout.html".to_owned(), "layout.txt".to_owned()];
        for language in ["en", "ka", "ru"] {
            for entry in std::fs::read_dir(root.join(language)).unwrap() {
                files.push(format!("{language}/{}", entry.unwrap().file_name().into_string().unwrap()));
            }
        }
        files.sort();
        let mut names: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        assert_eq!(files, names);
    }
}
