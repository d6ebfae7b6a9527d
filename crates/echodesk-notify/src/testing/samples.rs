//! Values to begin with.

use echodesk_core::notice::NoticeKind;
use echodesk_core::{Language, NoticeId, Tenant, TenantId};
use jiff::Timestamp;

use crate::mail::Mail;
use crate::message::{Sender, message};
use crate::ports::{Queued, Situation, SubscriptionSituation};
use crate::render::Rendered;

/// A notice that holds whenever it is sent: the receipt of a renewal, for `admin<id>@acme.example`.
///
/// # Panics
/// Never: its values are valid.
#[must_use]
pub fn queued(id: i64) -> Queued {
    let kind = NoticeKind::RenewalPaid {
        amount: "50.00 GEL".to_owned(),
        paid_at: Timestamp::UNIX_EPOCH,
        paid_until: None,
        order: format!("REC-{id}"),
        card: None,
    };
    Queued {
        id: NoticeId(id),
        tenant: Tenant {
            id: TenantId(1),
            schema: "acme".parse().unwrap_or_else(|_| unreachable!("a valid name")),
            name: "Acme".to_owned(),
            admin_email: format!("admin{id}@acme.example"),
            admin_name: "Ana".to_owned(),
            language: Language::En,
            is_active: true,
        },
        sign_in_url: None,
        code: kind.code().to_owned(),
        kind: Ok(kind),
        subject_key: "subscription:7".to_owned(),
        period: format!("REC-{id}"),
        decided_at: Timestamp::UNIX_EPOCH,
        attempts: 0,
        situation: Situation {
            subscription: Some(SubscriptionSituation {
                active: true,
                expires_at: None,
                next_billing_date: None,
                charge_open: false,
                provider: "bog".to_owned(),
                refused_since: false,
            }),
            mailbox_active: None,
        },
    }
}

/// A mail with this content.
///
/// # Panics
/// Never: its values are valid.
#[must_use]
pub fn mail(subject: &str, text: &str, html: &str) -> Mail {
    let rendered = Rendered { subject: subject.to_owned(), text: text.to_owned(), html: html.to_owned() };
    let from = Sender::parse("EchoDesk <noreply@echodesk.example>");
    from.ok()
        .and_then(|from| message(&queued(1), &rendered, &from, Timestamp::UNIX_EPOCH).ok())
        .unwrap_or_else(|| unreachable!("valid values"))
}
