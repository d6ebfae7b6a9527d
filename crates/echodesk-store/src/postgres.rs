//! The pool of connections to PostgreSQL.

use std::time::Duration;

use diesel::connection::{CacheSize, Connection as _};
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, NopErrorHandler, Pool, PooledConnection};
use echodesk_core::Secret;
use echodesk_mail::ports::StoreErrorKind;

use crate::access::OpenError;
use crate::connection::{Connection, Place, Purpose};
use crate::error::{Failure, Outcome, Said, kind};

/// Transactions are short, so a few connections serve many mailboxes.
const MAX_CONNECTIONS: u32 = 8;
/// How long to wait for a connection, in seconds.
const CONNECT_TIMEOUT: u64 = 5;

pub(crate) struct PostgresPool {
    pool: Pool<ConnectionManager<PgConnection>>,
    password: Option<String>,
}

impl PostgresPool {
    /// Connects once, to know at once whether it can be done, and prepares the pool.
    pub(crate) fn open(url: &Secret, shown: &str) -> Result<Self, OpenError> {
        // Before libpq does it, and without its clean-up at exit: threads may still hold connections by then.
        openssl::init();
        let password = password(url.expose());
        let full = with_defaults(url.expose());
        let what = || format!("connecting to {shown}");
        PgConnection::establish(&full).map_err(|error| {
            let full = error.to_string();
            let said = Said(without(&full, password.as_deref()));
            // What is withheld from people still tells whether it passes.
            if is_refusal(&full) || is_refusal(&said.0) {
                OpenError::Config { what: what(), source: Box::new(said) }
            } else {
                OpenError::Unavailable { what: what(), source: Box::new(said) }
            }
        })?;
        let pool = Pool::builder()
            .max_size(MAX_CONNECTIONS)
            .min_idle(Some(0))
            .connection_timeout(Duration::from_secs(CONNECT_TIMEOUT))
            // Beginning a transaction is the test: see `begun`.
            .test_on_check_out(false)
            .connection_customizer(Box::new(Uncached))
            // Whoever asks for a connection is told; the pool's own log lines would add nothing.
            .error_handler(Box::new(NopErrorHandler))
            .build(ConnectionManager::new(full))
            .map_err(|error| OpenError::Unavailable {
                what: what(),
                source: Box::new(Said(without(&error.to_string(), password.as_deref()))),
            })?;
        Ok(Self { pool, password })
    }

    /// A connection with a transaction begun on it.
    ///
    /// Connections may have ended while they lay in the pool. Asking each beforehand would cost every
    /// transaction a turnaround; instead it is begun on another where it cannot be begun, since nothing
    /// has been done by then. The pool drops the broken ones.
    pub(crate) fn begun(&self, place: Place<'_>, purpose: Purpose) -> Outcome<Connection> {
        for _ in 0..MAX_CONNECTIONS {
            let mut connection = Connection::Postgres(self.connection()?);
            match connection.begin(place, purpose) {
                Ok(()) => return Ok(connection),
                Err(error) if kind(&error) == StoreErrorKind::Unavailable => {}
                Err(error) => return Err(error.into()),
            }
        }
        // As many as there can be were broken, so this one is new.
        let mut connection = Connection::Postgres(self.connection()?);
        connection.begin(place, purpose)?;
        Ok(connection)
    }

    fn connection(&self) -> Outcome<PooledConnection<ConnectionManager<PgConnection>>> {
        self.pool.get().map_err(|error| Failure::Said {
            source: Box::new(Said(without(&error.to_string(), self.password.as_deref()))),
            kind: StoreErrorKind::Unavailable,
        })
    }
}

/// Tenants' columns differ in type, and a plan cached for one fails on the next ("cached plan must
/// not change result type"). So no plan is kept.
#[derive(Debug)]
struct Uncached;

impl CustomizeConnection<PgConnection, diesel::r2d2::Error> for Uncached {
    fn on_acquire(&self, connection: &mut PgConnection) -> Result<(), diesel::r2d2::Error> {
        connection.set_prepared_statement_cache_size(CacheSize::Disabled);
        Ok(())
    }
}

/// Adds what a URL leaves open: who we are, and not to wait for ever.
fn with_defaults(url: &str) -> String {
    let mut full = url.to_owned();
    let defaults = [
        ("application_name", "echodesk-jobs".to_owned()),
        ("connect_timeout", CONNECT_TIMEOUT.to_string()),
        ("keepalives_idle", "30".to_owned()),
        ("tcp_user_timeout", "60000".to_owned()),
    ];
    for (name, value) in defaults {
        if !full.contains(&format!("{name}=")) {
            full.push(if full.contains('?') { '&' } else { '?' });
            full.push_str(&format!("{name}={value}"));
        }
    }
    full
}

/// The password as it stands in the URL, to be kept out of messages.
fn password(url: &str) -> Option<String> {
    let authority = url.split_once("://")?.1.split(['/', '?']).next()?;
    let user_info = authority.rsplit_once('@')?.0;
    user_info.split_once(':').map(|(_, password)| password.to_owned()).filter(|password| !password.is_empty())
}

/// A password of fewer characters stands in words that have nothing to do with it: masked there, it would be given
/// away by the gaps.
const MASKABLE: usize = 6;

/// What libpq said, without the URL or parts of it that it may quote.
fn without(said: &str, password: Option<&str>) -> String {
    // Messages about a URL that cannot be read quote the piece that is wrong, decoded or not.
    const QUOTING: [&str; 5] = ["URI", "percent-encoded", "connection info string", "connection option", "after \""];
    if QUOTING.iter().any(|words| said.contains(words)) {
        return "the URL cannot be read".to_owned();
    }
    let said = said.trim();
    match password {
        Some(password) if password.chars().count() < MASKABLE && said.contains(password) => {
            "the server's words are withheld, since the password is too short to be masked in them".to_owned()
        }
        Some(password) => said.replace(password, "[secret]"),
        None => said.to_owned(),
    }
}

/// Whether the server was reached and will say no tomorrow as well.
fn is_refusal(said: &str) -> bool {
    const REFUSALS: [&str; 10] = [
        "authentication failed",
        "does not exist",
        "no pg_hba.conf entry",
        "no password supplied",
        "permission denied",
        "the URL cannot be read",
        "is not permitted to log in",
        // PgBouncer's own words.
        "no such database",
        "no such user",
        "unsupported startup parameter",
    ];
    REFUSALS.iter().any(|words| said.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_added_and_never_replace_what_is_there() {
        let url = with_defaults("postgres://u@h/d");
        assert!(url.starts_with("postgres://u@h/d?application_name=echodesk-jobs&connect_timeout=5"), "{url}");
        let url = with_defaults("postgres://u@h/d?connect_timeout=3&sslmode=require");
        assert_eq!(url.matches("connect_timeout").count(), 1, "{url}");
    }

    #[test]
    fn what_a_pooler_refuses_for_good_is_told_from_what_passes() {
        for said in ["FATAL: no such database: x", "FATAL: unsupported startup parameter: options"] {
            assert!(is_refusal(said), "{said}");
        }
        for said in ["FATAL: server login has been failing, try again later (server_login_retry)", "timeout expired"] {
            assert!(!is_refusal(said), "{said}");
        }
    }

    #[test]
    fn what_is_said_never_holds_the_password() {
        let password = password("postgres://bob:hunter2@h/d?x=y@z:q");
        assert_eq!(password.as_deref(), Some("hunter2"));
        let said = without("invalid percent-encoded token: \"hunter2%\"", password.as_deref());
        assert!(!said.contains("hunter2"), "{said}");
        assert_eq!(without("it says hunter2", password.as_deref()), "it says [secret]");
        for short in ["p", "accep"] {
            let said = without("port 1 failed: Connection refused; is the server accepting?", Some(short));
            assert!(said.contains("withheld") && !said.contains("port 1"), "{said}");
        }
    }
}
