//! The settings of the environment, in the groups by which `--help` shows them.

use std::collections::BTreeSet;

/// Settings that belong together. A binary's help shows the groups that concern it.
#[derive(Clone, Copy, Debug)]
pub struct SettingsGroup {
    /// Each name, with what `--help` says of it.
    pub names: &'static [(&'static str, &'static str)],
}

/// Where the database is.
pub const DATABASE: SettingsGroup = SettingsGroup {
    names: &[
        ("DATABASE_URL", "postgres://USER:PASSWORD@HOST/NAME or sqlite://FOLDER"),
        ("DB_NAME", "and DB_USER, DB_PASSWORD, DB_HOST, DB_PORT, DB_SSLMODE: EchoDesk's own"),
    ],
};

/// What it takes to read mailboxes and to keep what is in them.
pub const MAIL: SettingsGroup = SettingsGroup {
    names: &[
        ("SECRET_KEY", "Django's, to check the passwords that EchoDesk signed"),
        ("ECHODESK_SECRET_KEY", "ours, to open and make passwords that are really encrypted"),
        ("ECHODESK_ATTACHMENTS", "where attachments go: file:///FOLDER or s3://BUCKET/PREFIX"),
        ("ECHODESK_ATTACHMENTS_URL", "where they can be read over HTTP, if anywhere"),
        ("AWS_ACCESS_KEY_ID", "and AWS_SECRET_ACCESS_KEY: the keys to the bucket"),
        ("AWS_S3_ENDPOINT_URL", "a service other than Amazon's; AWS_S3_REGION_NAME for the region"),
    ],
};

/// Whom to believe that a mail server is who it says it is.
pub const CERTIFICATES: SettingsGroup =
    SettingsGroup { names: &[("ECHODESK_CA_FILE", "further certificate authorities (PEM) to trust for mail servers")] };

/// What it takes to deliver notices, and what they say.
pub const NOTICES: SettingsGroup = SettingsGroup {
    names: &[
        ("EMAIL_BACKEND", "how notices go: smtp, file or console (or Django's dotted names)"),
        ("EMAIL_HOST", "the mail server that takes them; EMAIL_PORT if not 25"),
        ("EMAIL_USE_TLS", "True: STARTTLS; or EMAIL_USE_SSL=True: TLS from the first byte"),
        ("EMAIL_HOST_USER", "and EMAIL_HOST_PASSWORD: what the mail server knows us by"),
        ("EMAIL_TIMEOUT", "seconds to wait for it"),
        ("EMAIL_FILE_PATH", "with the back end file: the folder, one .eml for each notice"),
        ("DEFAULT_FROM_EMAIL", "the sender, for example EchoDesk <noreply@echodesk.ge>"),
        ("ECHODESK_NOTICE_TEMPLATES", "a folder with texts that replace those that are built in"),
    ],
};

/// Whose calendar days count.
pub const TIME_ZONE: SettingsGroup =
    SettingsGroup { names: &[("ECHODESK_TIME_ZONE", "whose days count, for example Asia/Tbilisi; else UTC")] };

/// What it takes to charge cards at the Bank of Georgia.
pub const BANK: SettingsGroup = SettingsGroup {
    names: &[
        ("BOG_CLIENT_ID", "and BOG_CLIENT_SECRET: what the Bank of Georgia knows us by"),
        ("BOG_AUTH_URL", "where the bank gives out tokens, if not in production"),
        ("BOG_API_BASE_URL", "where its payments API is, if not in production"),
        ("BOG_CALLBACK_URL", "where it calls us back, if anywhere: https://…/api/payments/webhook/"),
    ],
};

/// What it takes to believe what the bank calls back with.
pub const CALLBACKS: SettingsGroup = SettingsGroup {
    names: &[("BOG_PUBLIC_KEY_FILE", "the keys (PEM) of callbacks, where they are not the bank's own")],
};

/// Who is billed, reminded and suspended.
pub const BILLING: SettingsGroup =
    SettingsGroup { names: &[("ECHODESK_EXEMPT_TENANTS", "schemas that pay nothing, separated by commas")] };

/// Which installation this is, and who watches over it.
pub const OPERATION: SettingsGroup = SettingsGroup {
    names: &[
        ("ECHODESK_ENVIRONMENT", "what this installation is called, for example production"),
        ("ECHODESK_PING_URL", "pinged as each run begins and ends; {job} in it is the job's name"),
        ("ECHODESK_METRICS_FOLDER", "where runs leave metrics for Prometheus' node exporter"),
        ("ECHODESK_OVERDUE_AFTER", "warn of jobs without success for so long: sync-emails=2h,…"),
    ],
};

/// How output looks.
pub const OUTPUT: SettingsGroup = SettingsGroup { names: &[("NO_COLOR", "set to anything: no colours")] };

/// Every group, in the order of the help.
pub const ALL: &[SettingsGroup] =
    &[DATABASE, MAIL, NOTICES, CERTIFICATES, BANK, CALLBACKS, BILLING, TIME_ZONE, OPERATION, OUTPUT];

/// Every setting that is read: the names of all groups, and those that their descriptions mention.
#[must_use]
pub fn known() -> BTreeSet<&'static str> {
    let texts = ALL.iter().flat_map(|group| group.names).flat_map(|(name, what)| [*name, *what]);
    let part_of_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    // The words in capitals without an underscore stand for values.
    let is_name = |word: &&str| word.contains('_') && word.starts_with(|c: char| c.is_ascii_uppercase());
    texts.flat_map(|text| text.split(move |c| !part_of_name(c))).filter(is_name).collect()
}
