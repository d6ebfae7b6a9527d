use std::collections::HashMap;

use echodesk_core::{ConnectionId, Language, ManualClock, Secret, Tenant, TenantId};
use echodesk_mail::model::{ColumnLimits, Endpoint, MailboxKey};
use echodesk_mail::ports::{MailSession, TenantProblem};

use super::*;
use crate::check::finding::Verdict;

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// Refuses every log-in in its own way, by host; counts how many are inside at once.
#[derive(Default)]
struct Door {
    inside: AtomicUsize,
    most: AtomicUsize,
}

impl MailServer for Door {
    fn open(
        &self,
        endpoint: &Endpoint,
        username: &str,
        password: &Secret,
        time: Duration,
    ) -> Result<Box<dyn MailSession>, MailServerError> {
        assert_eq!(password.expose(), "hunter2", "the password is opened first");
        let ImapSettings { connect_timeout, io_timeout, .. } = limits();
        assert!(time > connect_timeout + io_timeout, "{time:?}: the wait for one answer ends first");
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(inside, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(5));
        self.inside.fetch_sub(1, Ordering::SeqCst);
        match endpoint.host.as_str() {
            "slow" => Err(MailServerError::OutOfTime),
            _ => Err(MailServerError::Login { username: username.to_owned(), answer: "no".to_owned() }),
        }
    }
}

fn mailbox(id: i64, host: &str, is_active: bool) -> Mailbox {
    let schema = "acme".parse().unwrap();
    Mailbox {
        stored_password: credential::seal(&Secret::new("hunter2"), &Secret::new(KEY), &schema).unwrap(),
        key: MailboxKey { schema, connection: ConnectionId(id) },
        address: format!("box{id}@acme.example"),
        endpoint: Endpoint { host: host.to_owned(), port: 993, security: Security::Tls },
        username: "box".to_owned(),
        sync_folder: "INBOX".to_owned(),
        days_back: 365,
        is_active,
        last_sync_at: None,
        last_error: String::new(),
        failure_count: 0,
    }
}

fn tenant(schema: &str, is_active: bool, mailboxes: Result<Vec<Mailbox>, TenantProblem>) -> TenantMailboxes {
    let tenant = Tenant {
        id: TenantId(1),
        schema: schema.parse().unwrap(),
        name: schema.to_owned(),
        admin_email: "a@b.c".to_owned(),
        admin_name: String::new(),
        language: Language::En,
        is_active,
    };
    TenantMailboxes { tenant, mailboxes: mailboxes.map(|mailboxes| (ColumnLimits::default(), mailboxes)) }
}

fn checked(tenants: Vec<TenantMailboxes>, own: Option<&str>, inactive_too: bool) -> (Vec<Finding>, usize) {
    let door = Door::default();
    let clock = ManualClock::at("2026-11-22T10:00:00Z".parse().unwrap());
    let keys = CredentialKeys { django: None, own: own.map(Secret::new) };
    let probe = Probe { server: &door, keys: &keys, clock: &clock };
    let findings = check(&probe, tenants, inactive_too, NonZeroUsize::new(3).unwrap());
    (findings, door.most.into_inner())
}

#[test]
fn mailboxes_are_tried_in_parallel_and_told_in_order() {
    let mailboxes = (1..=20).map(|id| mailbox(id, "imap", true)).collect();
    let (findings, most) = checked(vec![tenant("acme", true, Ok(mailboxes))], Some(KEY), false);
    let subjects: Vec<String> = (1..=20).map(|id| format!("acme/{id} box{id}@acme.example")).collect();
    assert_eq!(findings.iter().map(|finding| finding.subject.clone()).collect::<Vec<_>>(), subjects);
    assert!((2..=3).contains(&most), "{most} at once");
}

#[test]
fn a_failure_comes_with_the_remedy_for_it() {
    let mailboxes = vec![mailbox(1, "imap", true), mailbox(2, "slow", true)];
    let (findings, _) = checked(vec![tenant("acme", true, Ok(mailboxes))], Some(KEY), false);
    let by_id: HashMap<&str, &Finding> = findings.iter().map(|f| (f.subject.split(' ').next().unwrap(), f)).collect();
    assert!(by_id["acme/1"].remedy.as_ref().unwrap().contains("app password"));
    assert!(by_id["acme/2"].detail.contains("time budget"));
    assert!(findings.iter().all(|finding| finding.verdict == Verdict::Failed));
}

#[test]
fn a_mailbox_that_is_switched_off_is_tried_and_only_a_warning() {
    let (findings, _) = checked(vec![tenant("acme", true, Ok(vec![mailbox(1, "imap", false)]))], Some(KEY), false);
    assert_eq!(findings[0].verdict, Verdict::Warning);
    assert!(findings[0].subject.ends_with("(switched off)"));
}

#[test]
fn a_password_that_does_not_open_is_found_without_asking_the_server() {
    let (findings, most) = checked(vec![tenant("acme", true, Ok(vec![mailbox(1, "imap", true)]))], None, false);
    assert!(findings[0].remedy.as_ref().unwrap().contains("ECHODESK_SECRET_KEY"));
    assert_eq!(most, 0);
    assert!(!format!("{findings:?}").contains("hunter2"));
}

#[test]
fn tenants_that_are_not_active_are_tried_only_when_named() {
    let ghost = || {
        let problem = TenantProblem::SchemaMissing { schema: "ghost".to_owned() };
        vec![tenant("ghost", false, Err(problem)), tenant("acme", false, Ok(vec![mailbox(1, "imap", true)]))]
    };
    assert!(checked(ghost(), Some(KEY), false).0.is_empty());
    let (findings, _) = checked(ghost(), Some(KEY), true);
    assert_eq!(findings.iter().map(|finding| finding.check).collect::<Vec<_>>(), ["tenant", "mailbox"]);
}
