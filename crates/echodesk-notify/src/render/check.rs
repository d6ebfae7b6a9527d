//! Whether templates can say everything that they may have to: each branch, with each value that may be missing.

use echodesk_core::Language;
use echodesk_core::notice::{NoticeKind, RenewalPlan};
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::{Reader, TemplateError, Templates};

/// Days left on which a notice is tried out: many, few, one, none, and too late.
const DAYS_LEFT: [i32; 5] = [7, 3, 1, 0, -1];

/// Renders every example in every language on each of these days.
pub(super) fn render_all(templates: &Templates) -> Result<(), TemplateError> {
    for notice in crate::examples().iter().flat_map(|example| variants(&example.notice)) {
        for language in [Language::En, Language::Ka, Language::Ru] {
            for reader in readers(language) {
                for today in days(&notice, &reader) {
                    templates.render(&notice, &Reader { today, ..reader })?;
                }
            }
        }
    }
    Ok(())
}

/// The notice with and without each value that it need not have.
fn variants(notice: &NoticeKind) -> Vec<NoticeKind> {
    let mut variants = vec![notice.clone()];
    // Each of these doubles what there is, where it finds something to leave out.
    for leave_out in [without_price, without_card, without_paid_until] {
        let without: Vec<NoticeKind> = variants
            .iter()
            .filter_map(|variant| {
                let mut without = variant.clone();
                leave_out(&mut without);
                (without != *variant).then_some(without)
            })
            .collect();
        variants.extend(without);
    }
    variants
}

fn without_price(notice: &mut NoticeKind) {
    if let NoticeKind::Reminder { price, .. }
    | NoticeKind::UrgentReminder { price, .. }
    | NoticeKind::GraceWarning { price, .. }
    | NoticeKind::Suspended { price, .. } = notice
    {
        *price = None;
    }
}

fn without_card(notice: &mut NoticeKind) {
    match notice {
        NoticeKind::Reminder { renewal, .. }
        | NoticeKind::UrgentReminder { renewal, .. }
        | NoticeKind::GraceWarning { renewal, .. } => match renewal {
            RenewalPlan::Card { masked }
            | RenewalPlan::ExpiringCard { masked, .. }
            | RenewalPlan::UnusableCard { masked } => *masked = None,
            RenewalPlan::ByHand => {}
        },
        NoticeKind::RenewalPaid { card, .. } => *card = None,
        _ => {}
    }
}

fn without_paid_until(notice: &mut NoticeKind) {
    if let NoticeKind::RenewalPaid { paid_until, .. } = notice {
        *paid_until = None;
    }
}

/// Readers of whom different things are known. Each two of name, tenant and address occur in all four
/// combinations: a sentence that depends on all three at once would be a strange one.
fn readers(language: Language) -> [Reader<'static>; 4] {
    let known = crate::example_reader(language);
    [
        known,
        Reader { name: "", tenant: "", ..known },
        Reader { name: "", sign_in_url: None, ..known },
        Reader { tenant: "", sign_in_url: None, ..known },
    ]
}

/// The days on which a notice may be sent, by the day that its words count from.
fn days(notice: &NoticeKind, reader: &Reader<'_>) -> Vec<Date> {
    let moment = match notice {
        NoticeKind::Reminder { expires_at, .. } | NoticeKind::UrgentReminder { expires_at, .. } => expires_at,
        NoticeKind::GraceWarning { suspension_at, .. } => suspension_at,
        NoticeKind::PaymentFailed { renewal, .. } | NoticeKind::PriceChanged { renewal, .. } => renewal,
        NoticeKind::Suspended { .. }
        | NoticeKind::RenewalPaid { .. }
        | NoticeKind::MailboxSwitchedOff { .. }
        | NoticeKind::Reactivated { .. } => return vec![reader.today],
    };
    let day = reader.time_zone.to_datetime(*moment).date();
    DAYS_LEFT.iter().filter_map(|left| day.checked_sub(left.days()).ok()).collect()
}
