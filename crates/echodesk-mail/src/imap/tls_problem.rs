//! What OpenSSL says of a handshake that failed, in words for people. Its own are a stack of entries
//! such as `error:0A00010B:SSL routines:tls_get_more_records:wrong version number:ssl/…/x.c:354:`,
//! after them in brackets what it makes of the certificate.

use crate::model::Security;
use crate::ports::MailServerError;

/// What was said instead of TLS.
const NO_TLS: [&str; 6] = [
    "wrong version number",
    "packet length too long",
    "record length mismatch",
    "unknown protocol",
    "http request",
    "https proxy request",
];

/// No version or cipher is common to both sides.
const NOTHING_IN_COMMON: [&str; 7] = [
    "unsupported protocol",
    "version too low",
    "alert protocol version",
    "no protocols available",
    "alert handshake failure",
    "no shared cipher",
    "alert insufficient security",
];

/// `problem`, which OpenSSL reports of a server reached by `security`, in words.
pub(super) fn in_words(problem: &str, security: Security) -> String {
    let lower = problem.to_lowercase();
    let says = |known: &[&str]| known.iter().any(|part| lower.contains(part));
    if says(&["certificate verify failed"]) {
        return certificate(verdict(&lower));
    }
    if says(&NO_TLS) {
        return match security {
            Security::Tls => "the server does not speak TLS on this port; perhaps it wants STARTTLS".to_owned(),
            Security::StartTls => "the server does not go on in TLS after its OK to STARTTLS".to_owned(),
        };
    }
    if says(&NOTHING_IN_COMMON) {
        return "the server and we have no secure version of TLS in common; 1.2 is the oldest that will do".to_owned();
    }
    if says(&["key too small", "md too weak"]) {
        return "the server's keys or signatures are too weak to be secure".to_owned();
    }
    if says(&["unexpected eof", "connection reset", "broken pipe", "close notify"]) {
        return "the server hung up in the middle of the handshake".to_owned();
    }
    format!("the handshake failed: {}", reason(problem))
}

/// What OpenSSL makes of the certificate.
fn verdict(problem: &str) -> &str {
    problem.rsplit_once('(').map_or("", |(_, verdict)| verdict.trim_end_matches(')').trim())
}

fn certificate(verdict: &str) -> String {
    if verdict.contains("mismatch") {
        return "the server's certificate is for another host".to_owned();
    }
    let why = match verdict {
        "certificate has expired" => "it has expired",
        "certificate is not yet valid" => "it is not valid yet; is the clock right on both sides?",
        _ if verdict.starts_with("self-signed") || verdict.starts_with("self signed") => {
            "it is signed by itself or by an authority that is not trusted here"
        }
        _ if verdict.contains("issuer certificate") || verdict.contains("verify the first certificate") => {
            "no authority that is trusted here has issued it, or the server leaves out a link of the chain"
        }
        "" => "it does not pass verification",
        other => other,
    };
    format!("{}: {why}", MailServerError::UNTRUSTED_CERTIFICATE)
}

/// The reasons in OpenSSL's entries, without its files and lines; of anything else, the kind of
/// failure that the system names.
fn reason(problem: &str) -> String {
    const KEPT: usize = 200;
    let reasons: Vec<&str> = problem
        .split("error:")
        .filter_map(|entry| entry.split(':').nth(3))
        .map(str::trim)
        .filter(|reason| !reason.is_empty())
        .collect();
    let words = if reasons.is_empty() && !problem.contains('/') { problem.to_owned() } else { reasons.join(", ") };
    let words: String = words.chars().filter(|c| !c.is_control()).take(KEPT).collect();
    if words.is_empty() { "OpenSSL does not say why".to_owned() } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verified(verdict: &str) -> String {
        let stack = "error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:";
        in_words(&format!("{stack}ssl/statem/statem_clnt.c:2123: ({verdict})"), Security::Tls)
    }

    fn is_untrusted(problem: &str) -> bool {
        MailServerError::Tls { endpoint: String::new(), problem: problem.to_owned() }.is_untrusted_certificate()
    }

    #[test]
    fn certificates_that_are_not_trusted_are_told_from_those_of_others() {
        for (verdict, words) in [
            ("certificate has expired", "expired"),
            ("certificate is not yet valid", "not valid yet"),
            ("self-signed certificate", "signed by itself"),
            ("self signed certificate in certificate chain", "not trusted here"),
            ("unable to get local issuer certificate", "no authority that is trusted"),
            ("unable to verify the first certificate", "no authority that is trusted"),
            ("certificate revoked", "certificate revoked"),
        ] {
            let problem = verified(verdict);
            assert!(problem.contains(words) && is_untrusted(&problem), "{verdict}: {problem}");
        }
        for verdict in ["hostname mismatch", "Hostname mismatch", "IP address mismatch"] {
            let problem = verified(verdict);
            assert!(problem.contains("another host") && !is_untrusted(&problem), "{verdict}: {problem}");
        }
    }

    #[test]
    fn everything_else_is_put_into_words_without_files_and_lines() {
        for (problem, words) in [
            ("error:0A00010B:SSL routines:tls_get_more_records:wrong version number:ssl/record/x.c:354:", "STARTTLS"),
            ("error:0A00010B:SSL routines:ssl3_get_record:http request:../ssl/x.c:354:", "STARTTLS"),
            ("error:0A00042E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version:../ssl/x.c:1:", "in common"),
            ("error:0A00018A:SSL routines:tls_process_ske_dhe:dh key too small:../ssl/x.c:1:", "too weak"),
            ("unexpected EOF", "hung up"),
            ("Connection reset by peer (os error 104)", "hung up"),
            (
                "error:0A0000F4:SSL routines:x:odd thing:../ssl/x.c:1:SSL alert, error:1:2:3:second:/y.c:2:",
                "odd thing, second",
            ),
            ("error:/home/somebody/x.c", "does not say why"),
            ("odd", "the handshake failed: odd"),
            ("", "does not say why"),
        ] {
            let said = in_words(problem, Security::Tls);
            assert!(said.contains(words) && !said.contains(".c") && !is_untrusted(&said), "{problem}: {said}");
        }
        let wrong = "error:0A00010B:SSL routines:f:wrong version number:x.c:354:";
        assert!(in_words(wrong, Security::StartTls).contains("after its OK to STARTTLS"));
    }
}
