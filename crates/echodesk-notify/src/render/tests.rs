use super::*;

#[test]
fn p() {
    let t = Templates::embedded();
    for n in [
        "reminder",
        "urgent_reminder_card",
        "grace_warning_expiring_card",
        "payment_failed",
        "confirmation_needed",
        "renewal_paid",
        "mailbox_switched_off",
    ] {
        for l in [Language::En, Language::Ka, Language::Ru] {
            let r = t.render(&crate::example(n).unwrap().notice, &crate::example_reader(l)).unwrap();
            println!("== {}\n{}", r.subject, r.text);
        }
    }
}
