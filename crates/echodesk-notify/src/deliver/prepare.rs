//! From a claimed notice to a mail, or to the reason why there is none.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::run::Run;
use crate::mail::Mail;
use crate::message::message;
use crate::ports::{Fate, Queued};
use crate::render::Reader;
use crate::rules::{NOT_YET_FOR, Verdict, holds};

/// Why no mail is sent now.
#[derive(Debug)]
pub(super) struct Unsent(pub(super) Fate);

impl Unsent {
    fn parked(why: String) -> Self {
        Self(Fate::Parked { why })
    }
}

/// The mail of a notice. A panic while it is written, in a template for example, concerns this notice alone.
pub(super) fn prepare<T>(run: &Run<T>, notice: &Queued) -> Result<Mail, Unsent> {
    catch_unwind(AssertUnwindSafe(|| write(run, notice)))
        .unwrap_or_else(|_| Err(Unsent::parked("it cannot be written: this is an error of ours".to_owned())))
}

fn write<T>(run: &Run<T>, notice: &Queued) -> Result<Mail, Unsent> {
    let now = run.now();
    let zone = &run.options.time_zone;
    let kind = notice.kind.as_ref().map_err(|problem| Unsent::parked(format!("it cannot be read: {problem}")))?;
    match holds(notice, kind, &run.options.exempt, zone, now) {
        Verdict::Holds => {}
        Verdict::Overtaken(why) => return Err(Unsent(Fate::Withdrawn { why })),
        Verdict::NotYet(why) => {
            let not_before = now.checked_add(NOT_YET_FOR).unwrap_or(jiff::Timestamp::MAX);
            return Err(Unsent(Fate::Later { not_before, why }));
        }
    }
    let tenant = &notice.tenant;
    let reader = Reader {
        name: &tenant.admin_name,
        tenant: &tenant.name,
        language: tenant.language,
        today: zone.to_datetime(now).date(),
        time_zone: zone,
        sign_in_url: notice.sign_in_url.as_deref(),
    };
    let rendered = run.world.templates.render(kind, &reader).map_err(|error| Unsent::parked(error.to_string()))?;
    message(notice, &rendered, &run.options.from, now).map_err(|error| Unsent::parked(error.to_string()))
}
