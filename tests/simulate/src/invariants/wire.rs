//! Every mail that the mail server takes: whose it is, whether it is true, and whether it may be a repeat.

use echodesk_core::NoticeId;
use echodesk_core::notice::NoticeKind;
use echodesk_notify::Mail;
use jiff::{SignedDuration, Timestamp};
use mail_parser::MessageParser;

use crate::invariants::truth::{Truth, days_between, truth};
use crate::process::Process;
use crate::trace::TenantNumber;
use crate::violation::Invariant;
use crate::world::World;
use crate::world::notices::Notice;
use crate::world::post_office::{Look, Taken};

/// What was read counts for two seconds; then comes the way to the server.
const LOOKED_AT_WITHIN: SignedDuration = SignedDuration::from_secs(4);

/// Where the clocks of two hosts differ by more than a claim lasts, the one takes what the other has claimed and is about
/// to send; the documentation wants them to agree within seconds. Then both send it within so much, or look again.
const TAKEN_OVER_WITHIN: SignedDuration = SignedDuration::from_mins(1);

impl World {
    /// Who has an address.
    pub(crate) fn recipient(&self, address: &str) -> Option<TenantNumber> {
        let number = address.strip_prefix("admin@t")?.strip_suffix(".example")?.parse().ok().map(TenantNumber)?;
        self.plan.numbers().contains(&number).then_some(number)
    }

    /// The mail server takes a mail.
    pub(crate) fn mail_taken(&self, process: &Process, mail: &Mail, tenant: Option<TenantNumber>, lost: bool) {
        self.count(|counts| counts.mails += 1);
        let parsed = MessageParser::default().parse(&mail.bytes);
        let subject = parsed.and_then(|parsed| parsed.subject().map(str::to_owned)).unwrap_or_default();
        let id = notice_of(&mail.message_id);
        let notice = id.and_then(|id| Some((id, self.notices.get(id).filter(|notice| Some(notice.tenant) == tenant)?)));
        let Some((id, notice)) = notice else {
            let what = format!("a mail is nobody's: {} to {}, {subject:?}", mail.message_id, mail.to);
            return self.violated(Invariant::ExactNotices, tenant, what);
        };
        self.trace.note(tenant, format_args!("mail: {subject}"));
        let taken = Taken {
            at: self.time.now(),
            to: mail.to.clone(),
            message_id: mail.message_id.clone(),
            subject,
            run: process.run,
            clock_wrong_by: process.clock.wrong_by(),
            lost,
        };
        if let Some(earlier) = self.post_office.last(id) {
            self.check_repeat((id, &notice), &earlier, &taken);
        }
        match self.post_office.looked(process.run, id) {
            Some(look) => self.check_truth(&notice, &look, &taken),
            None => self.untrue(&notice, &taken, "nobody has looked whether it holds"),
        }
        self.post_office.take(id, taken);
    }

    /// A repeat goes out only if it could not be written down that the first did.
    fn check_repeat(&self, (id, notice): (NoticeId, &Notice), earlier: &Taken, taken: &Taken) {
        // Clocks that are wrong make a claim look older than it is. Either of the two may be the faster then.
        let was_taken = |of| self.post_office.had_ended(id, of);
        let was_taken_over = earlier.run != taken.run
            && (was_taken(earlier.run) || was_taken(taken.run))
            && taken.at.duration_since(earlier.at) < TAKEN_OVER_WITHIN;
        let was_silenced = earlier.lost || self.post_office.is_silenced(earlier.run);
        // Once it is written down, nobody sends it who has not read it before.
        let is_excused = was_taken_over || (was_silenced && !self.post_office.is_written(id));
        if !is_excused {
            let what = format!("{:?} was sent twice, first at {}", notice.occurrence, earlier.at);
            self.violated(Invariant::ExactNotices, notice.tenant, what);
        }
        if earlier.message_id != taken.message_id {
            let what = format!("a repeat of {} is called {}", earlier.message_id, taken.message_id);
            self.violated(Invariant::ExactNotices, notice.tenant, what);
        }
    }

    fn check_truth(&self, notice: &Notice, look: &Look, taken: &Taken) {
        if taken.at.duration_since(look.at) > LOOKED_AT_WITHIN {
            self.untrue(notice, taken, &format!("it was looked at for the last time at {}", look.at));
        }
        if let Truth::Contradicted(why) = truth(notice, look, &self.billing_zone) {
            self.untrue(notice, taken, &why);
        }
        if let Some(until) = counted_until(&notice.kind) {
            let told = days_told(&taken.subject);
            // By the clock of who sends it, at some moment since it was looked at. The clock may have jumped meanwhile.
            let by_clock = |at: Timestamp, wrong_by| days_between(at + wrong_by, until, &self.billing_zone);
            let days = [by_clock(look.at, look.clock_wrong_by), by_clock(taken.at, taken.clock_wrong_by)];
            if !(days[0].min(days[1])..=days[0].max(days[1])).contains(&told) {
                self.untrue(notice, taken, &format!("{} days are left", days[1]));
            }
        }
    }

    fn untrue(&self, notice: &Notice, taken: &Taken, why: &str) {
        let what = format!("{:?} was sent ({:?}), and {why}", notice.occurrence, taken.subject);
        self.violated(Invariant::ExactNotices, notice.tenant, what);
    }
}

/// The row that a Message-ID names: `<kind.ROW.digest@…>`.
fn notice_of(message_id: &str) -> Option<NoticeId> {
    message_id.split('.').nth(1)?.parse().ok().map(NoticeId)
}

/// What a notice counts days to.
fn counted_until(kind: &NoticeKind) -> Option<Timestamp> {
    match kind {
        NoticeKind::Reminder { expires_at, .. } | NoticeKind::UrgentReminder { expires_at, .. } => Some(*expires_at),
        NoticeKind::GraceWarning { suspension_at, .. } => Some(*suspension_at),
        _ => None,
    }
}

/// The days that a subject tells; 0 if it says "today".
fn days_told(subject: &str) -> i32 {
    let digits = |c: char| !c.is_ascii_digit();
    subject.split(digits).find(|part| !part.is_empty()).and_then(|days| days.parse().ok()).unwrap_or(0)
}
