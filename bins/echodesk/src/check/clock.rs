//! Do this machine and the database's server have the same time?

use echodesk_core::Clock;
use echodesk_job::one_line;
use echodesk_store::Store;
use jiff::{SignedDuration, Timestamp};

use super::finding::Finding;
use super::remedy;

/// So much apart is told.
const NOTICEABLE: SignedDuration = SignedDuration::from_secs(5);

/// So much apart, leases of two minutes end while somebody works under them.
const TOO_MUCH: SignedDuration = SignedDuration::from_mins(1);

const REMEDY: &str = "let both keep time by NTP (`timedatectl set-ntp true`): by it hosts share the work out, and \
                      trust keys that were sent to the bank";

/// Nothing where the database is embedded.
pub(super) fn check(store: &Store, clock: &dyn Clock) -> Option<Finding> {
    let before = clock.now();
    match store.server_time() {
        Ok(None) => None,
        Ok(Some(server)) => Some(judge(apart(before, server, clock.now()))),
        Err(error) => Some(Finding::failed("clock", "", one_line(&error), remedy::TENANTS)),
    }
}

/// How far the server is ahead of this machine, at least: it was asked between `before` and `after`.
fn apart(before: Timestamp, server: Timestamp, after: Timestamp) -> SignedDuration {
    server.duration_since(server.clamp(before, after.max(before)))
}

fn judge(ahead: SignedDuration) -> Finding {
    let off = ahead.abs();
    if off <= NOTICEABLE {
        return Finding::ok("clock", "", "that of the database's server agrees with this machine's");
    }
    let way = if ahead.is_negative() { "behind" } else { "ahead of" };
    let detail = format!("that of the database's server is {} s {way} this machine's", off.as_secs());
    let failed = Finding::failed("clock", "", detail, REMEDY);
    if off > TOO_MUCH { failed } else { failed.warning() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finding::Verdict;

    fn told(server: i64, after: i64) -> (Verdict, String) {
        let at = |seconds| Timestamp::from_second(1_000_000 + seconds).unwrap();
        let Finding { verdict, detail, .. } = judge(apart(at(0), at(server), at(after)));
        (verdict, detail)
    }

    #[test]
    fn what_lies_between_question_and_answer_agrees_and_the_rest_is_told_by_how_much_it_matters() {
        let table = [
            (0, 0, Verdict::Ok, "agrees"),
            (15, 20, Verdict::Ok, "agrees"),
            (-5, 0, Verdict::Ok, "agrees"),
            (-6, 0, Verdict::Warning, "6 s behind"),
            (16, 10, Verdict::Warning, "6 s ahead of"),
            (60, 0, Verdict::Warning, "60 s ahead of"),
            (-3600, 1, Verdict::Failed, "3600 s behind"),
        ];
        for (server, after, verdict, part) in table {
            let told = told(server, after);
            assert!(told.0 == verdict && told.1.contains(part), "{server} {after}: {told:?}");
        }
    }
}
