//! Whose fault a refusal is: a mail server that lets nobody relay answers each mail as if it were the mail's.

/// So many refusals in a row that may be about us, without a mail taken between them, end a run: nobody is parked
/// for a password that is missing.
pub const MAX_REFUSALS: usize = 5;
/// A notice that was tried so often before is parked when it is refused, whosever fault it is: else a handful of
/// refused ones at the head of the queue would keep everybody else waiting for ever.
pub const PATIENCE: u32 = 3;

/// Whether a refusal is about the recipient and nobody else, by the enhanced status code in it (RFC 3463): X.1 is
/// about the address, except X.1.7 and X.1.8, which are about the sender's; X.2 is about the mailbox.
#[must_use]
pub fn blames_recipient(answer: &str) -> bool {
    let Some(code) = answer.split_whitespace().find(|word| word.starts_with("5.")) else { return false };
    let mut parts = code.split('.').skip(1);
    let (subject, detail) = (parts.next(), parts.next());
    match subject {
        Some("1") => !matches!(detail, Some("7" | "8")),
        Some("2") => true,
        _ => false,
    }
}

/// Whether a refusal speaks of what the server lets us do, or of whom we send as, and so may meet every mail alike:
/// X.7 is about security and policy (RFC 3463, section 3.8), X.1.7 and X.1.8 about the sender's address, and servers
/// without such codes speak of relaying. Many look at the sender only once they have heard the recipient.
#[must_use]
pub fn is_policy(answer: &str) -> bool {
    const WORDS: [&str; 7] =
        ["relay", "authenticat", "not permitted", "not allowed", "blocked", "sender address", "sender domain"];
    let answer = answer.to_ascii_lowercase();
    let codes = |word: &str| word.starts_with("5.7.") || word == "5.1.7" || word == "5.1.8";
    answer.split_whitespace().any(codes) || WORDS.iter().any(|word| answer.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_told_by_its_code_or_by_its_words() {
        for (answer, expected) in [
            ("554 5.7.1 rejected", true),
            ("550 5.7.26 unauthenticated mail", true),
            ("550 Relaying denied", true),
            ("554 relay access denied", true),
            ("550 authentication required", true),
            ("550 your address is blocked", true),
            ("550 5.1.8 <noreply@x.example>: rejected: domain not found", true),
            ("553 Sender address rejected", true),
            ("550 no such user", false),
            ("550 5.1.1 unknown", false),
            ("552 5.3.4 message too big", false),
        ] {
            assert_eq!(is_policy(answer), expected, "{answer}");
        }
    }

    #[test]
    fn only_a_status_about_the_address_or_its_mailbox_blames_the_recipient() {
        for (answer, expected) in [
            ("550 5.1.1 <ana@acme.example>: user unknown", true),
            ("550 5.1.10 recipient not found", true),
            ("552 5.2.2 mailbox full", true),
            ("550 5.1.8 sender domain not found", false),
            ("550 5.1.7 bad sender", false),
            ("554 5.7.1 relay access denied", false),
            ("550 relaying denied", false),
            ("550 no such user", false),
            ("554 transaction failed, see 5.example", false),
            ("", false),
        ] {
            assert_eq!(blames_recipient(answer), expected, "{answer}");
        }
    }
}
