//! Does the address answer that the bank is to call back? An empty request without a signature is sent there, which
//! whoever verifies callbacks refuses.

use std::net::{Ipv4Addr, Ipv6Addr};

use echodesk_billing::bank::{BankLimits, BankSettings, BankSettingsError, WebHookError, call_web_hook};
use echodesk_core::{Environment, Secret};
use url::{Host, Url};

use super::far::{Reach, STEP};
use super::finding::Finding;
use super::remedy;

/// Where `echodesk callbacks serve` and EchoDesk take callbacks, without the slash at the end.
const PATH: &str = "/api/payments/webhook";

const NOT_SET: &str =
    "not set: what became of charges is asked for, and the bank calls where the card's first order said";

const NAME: &str = "BOG_CALLBACK_URL";
const REMEDY: &str = "set BOG_CALLBACK_URL to the public https:// address of the web hook, or leave it out";

/// Nothing where neither bank nor address is set. The address is looked at whatever is wrong with the account.
pub(super) fn check(environment: &Environment, reach: &Reach) -> Vec<Finding> {
    let Some(text) = environment.get(NAME) else {
        let has_account = environment.get("BOG_CLIENT_ID").is_some() || environment.get("BOG_CLIENT_SECRET").is_some();
        return has_account.then(|| Finding::ok("callback", NAME, NOT_SET)).into_iter().collect();
    };
    let url = match read(text) {
        Ok(url) => url,
        Err(problem) => return vec![Finding::failed("callback", NAME, problem, REMEDY)],
    };
    let url = &url;
    let mut findings: Vec<Finding> = odd(url).into_iter().collect();
    findings.push(if reach.offline {
        Finding::ok("callback", shown(url), "set; not called")
    } else {
        call(url, reach)
    });
    findings
}

/// As the jobs read it, without the account that they need beside it.
fn read(text: &str) -> Result<Url, String> {
    let problem = |error: BankSettingsError| match error {
        BankSettingsError::Wrong { problem, .. } => problem.to_owned(),
        BankSettingsError::Missing { .. } => error.to_string(),
    };
    let settings = BankSettings::new("x", Secret::new("x")).and_then(|settings| settings.with_callback_url(text));
    let url = settings.map_err(problem)?.callback_url().cloned();
    url.ok_or_else(|| "cannot be used".to_owned())
}

/// Only as far as it cannot hold a key.
fn shown(url: &Url) -> String {
    let path = if url.path().trim_end_matches('/').ends_with(PATH) { PATH } else { "/…" };
    format!("{}{path}", url.origin().ascii_serialization())
}

/// What is wrong with an address whoever answers there.
fn odd(url: &Url) -> Option<Finding> {
    let warn = |detail: &str, remedy: &str| Some(Finding::failed("callback", shown(url), detail, remedy).warning());
    if is_of_this_network(url) {
        return warn("the bank cannot reach an address of this machine or network", REMEDY);
    }
    if !url.path().trim_end_matches('/').ends_with(PATH) {
        let detail = "does not end in /api/payments/webhook/, where EchoDesk and `echodesk callbacks serve` answer";
        return warn(detail, "correct BOG_CALLBACK_URL, unless a proxy changes the path");
    }
    None
}

fn is_of_this_network(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_private_name(name.trim_end_matches('.')),
        Some(Host::Ipv4(address)) => is_private_v4(address),
        Some(Host::Ipv6(address)) => match address.to_ipv4_mapped() {
            Some(mapped) => is_private_v4(mapped),
            None => is_private_v6(address),
        },
        None => false,
    }
}

/// Names that no public name server knows: of this machine (RFC 6761), of mDNS (RFC 6762), of a home (RFC 8375) or of
/// an organisation (`internal` is reserved for that by ICANN).
fn is_private_name(name: &str) -> bool {
    const ENDS: [&str; 4] = [".localhost", ".local", ".internal", ".home.arpa"];
    !name.contains('.') || ENDS.iter().any(|end| name.ends_with(end))
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    // 100.64.0.0/10 is behind a provider's address translation (RFC 6598).
    let is_shared = first == 100 && second & 0xc0 == 64;
    address.is_loopback() || address.is_private() || address.is_link_local() || address.is_unspecified() || is_shared
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    address.is_loopback() || address.is_unique_local() || address.is_unspecified() || address.is_unicast_link_local()
}

fn call(url: &Url, reach: &Reach) -> Finding {
    let limits = BankLimits { connect_timeout: STEP, request_timeout: STEP, tries: 1, ..BankLimits::default() };
    let host = url.host_str().unwrap_or_default();
    let failed = |detail: String, remedy: String| Finding::failed("callback", shown(url), detail, remedy);
    match reach.wait_for(call_web_hook(url, &limits, reach.clock.as_ref())) {
        Ok((Ok(status), _)) => answered(shown(url), status),
        Ok((Err(error), _)) => failed(format!("does not answer: {error}"), advice(&error, host)),
        Err(late) => failed(format!("does not answer: {late}"), unreachable()),
    }
}

fn unreachable() -> String {
    "is the web server (or `echodesk callbacks serve` and the proxy before it) up, and may this machine reach it?"
        .to_owned()
}

fn advice(error: &WebHookError, host: &str) -> String {
    match error {
        WebHookError::Resolve(_) => remedy::name_of(host, "BOG_CALLBACK_URL"),
        WebHookError::Tls(_) => {
            format!("the bank trusts public authorities only: renew or replace the certificate of {host}")
        }
        WebHookError::Client(_) => remedy::OWN_TLS.to_owned(),
        _ => unreachable(),
    }
}

/// By the status of the answer to a request that nobody should take for a callback.
fn answered(subject: String, status: u16) -> Finding {
    const CANNOT_SEE: &str = "whether the bank reaches it cannot be seen from here";
    let failed = |detail: String, remedy: &str| Finding::failed("callback", subject.clone(), detail, remedy);
    match status {
        // What our server says, and whoever cannot read what was sent.
        400 | 401 => {
            let detail = format!("answers, and refuses what is not signed (HTTP {status}); {CANNOT_SEE}");
            Finding::ok("callback", subject, detail)
        }
        // EchoDesk's own web hook may take what it ignores. That it is a web hook does not follow.
        200 => {
            let detail = format!("answers (HTTP 200), also where nothing is signed, as any page might; {CANNOT_SEE}");
            Finding::ok("callback", subject, detail)
        }
        300..=399 => {
            let detail = format!("sends callers elsewhere (HTTP {status}), where the bank need not follow");
            failed(detail, "set BOG_CALLBACK_URL to the address that it sends to")
        }
        404 | 410 => {
            failed(format!("there is no web hook (HTTP {status})"), "correct BOG_CALLBACK_URL, or the proxy's path")
        }
        405 => failed("does not take POST (HTTP 405)".to_owned(), "correct BOG_CALLBACK_URL: this is not the web hook"),
        500.. => {
            let remedy = "look into the log of the web hook and of the proxy before it, then check again";
            failed(format!("cannot answer (HTTP {status})"), remedy)
        }
        403 | 407 | 429 => {
            let detail = format!("turns callers away (HTTP {status}), as a firewall does and the web hook does not");
            failed(detail, "let the bank's calls pass whatever guards the web hook, then check again").warning()
        }
        _ => {
            let detail =
                format!("answers with HTTP {status}, which the web hook does not: something else may be there");
            failed(detail, "look at what answers at BOG_CALLBACK_URL; an unsigned call should get 401").warning()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use echodesk_core::SystemClock;

    use super::*;
    use crate::check::finding::Verdict;

    /// Settings, and what is told of the address, if anything.

    #[test]
    fn the_address_is_looked_at_whatever_is_wrong_with_the_account() {
        const GOOD: (&str, &str) = (NAME, "https://jobs.example.com/api/payments/webhook/");
        const BAD: (&str, &str) = (NAME, "http://jobs.example.com/hunter2");
        const ID: (&str, &str) = ("BOG_CLIENT_ID", "shop");
        type Row = (&'static [(&'static str, &'static str)], Option<(Verdict, &'static str)>);
        let table: [Row; 5] = [
            (&[], None),
            (&[ID], Some((Verdict::Ok, "not set"))),
            (&[GOOD], Some((Verdict::Ok, "set; not called"))),
            (&[ID, GOOD], Some((Verdict::Ok, "set; not called"))),
            (&[ID, BAD], Some((Verdict::Failed, "must begin with https://"))),
        ];
        for (pairs, expected) in table {
            let reach = Reach { offline: true, clock: Arc::new(SystemClock::new()) };
            let found = check(&pairs.iter().copied().collect(), &reach);
            assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
            match (&found[..], expected) {
                ([], None) => {}
                ([one], Some((verdict, part))) => {
                    assert!(one.verdict == verdict && one.detail.contains(part), "{one:?}");
                }
                _ => panic!("{pairs:?}: {found:?}"),
            }
        }
    }

    #[test]
    fn an_answer_is_judged_by_its_status() {
        let table = [
            (401, Verdict::Ok, "refuses what is not signed"),
            (400, Verdict::Ok, "refuses"),
            (403, Verdict::Warning, "firewall"),
            (429, Verdict::Warning, "turns callers away (HTTP 429)"),
            (200, Verdict::Ok, "also where nothing is signed, as any page might"),
            (204, Verdict::Warning, "HTTP 204"),
            (418, Verdict::Warning, "something else"),
            (301, Verdict::Failed, "elsewhere"),
            (307, Verdict::Failed, "elsewhere"),
            (404, Verdict::Failed, "no web hook"),
            (405, Verdict::Failed, "POST"),
            (502, Verdict::Failed, "cannot answer (HTTP 502)"),
        ];
        for (status, verdict, part) in table {
            let found = answered("x".to_owned(), status);
            assert!(found.verdict == verdict && found.detail.contains(part), "{status}: {found:?}");
            assert_eq!(found.detail.contains("cannot be seen from here"), verdict == Verdict::Ok, "{found:?}");
        }
    }

    #[test]
    fn an_address_that_the_bank_cannot_mean_is_a_warning() {
        let table = [
            ("https://jobs.example.com/api/payments/webhook/", None),
            ("https://jobs.example.com/x/api/payments/webhook", None),
            ("https://jobs.example.com/hunter2", Some("does not end in")),
            ("https://localhost/api/payments/webhook/", Some("cannot reach")),
            ("http://127.0.0.1:1/api/payments/webhook/", Some("cannot reach")),
            ("https://10.1.2.3/api/payments/webhook/", Some("cannot reach")),
            ("https://[fd00::1]/api/payments/webhook/", Some("cannot reach")),
            ("https://intranet/api/payments/webhook/", Some("cannot reach")),
            ("https://100.64.0.1/api/payments/webhook/", Some("cannot reach")),
            ("https://100.127.255.255/api/payments/webhook/", Some("cannot reach")),
            ("https://100.128.0.1/api/payments/webhook/", None),
            ("https://[::ffff:127.0.0.1]/api/payments/webhook/", Some("cannot reach")),
            ("https://[::ffff:192.168.1.1]/api/payments/webhook/", Some("cannot reach")),
            ("https://[::ffff:8.8.8.8]/api/payments/webhook/", None),
            ("https://[fe80::1]/api/payments/webhook/", Some("cannot reach")),
            ("https://[febf::1]/api/payments/webhook/", Some("cannot reach")),
            ("https://[2001:db8::1]/api/payments/webhook/", None),
            ("https://jobs.localhost/api/payments/webhook/", Some("cannot reach")),
            ("https://LOCALHOST./api/payments/webhook/", Some("cannot reach")),
            ("https://jobs.acme.internal/api/payments/webhook/", Some("cannot reach")),
            ("https://internal.example.com/api/payments/webhook/", None),
        ];
        for (url, part) in table {
            let found = odd(&url.parse().unwrap());
            assert_eq!(found.as_ref().map(|found| found.verdict), part.map(|_| Verdict::Warning), "{url}");
            let says = |found: &Finding| part.is_some_and(|part| found.detail.contains(part));
            assert!(found.as_ref().is_none_or(says), "{found:?}");
            assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
        }
    }
}
