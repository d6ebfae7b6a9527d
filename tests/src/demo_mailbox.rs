//! The demo's mailbox: small, and with one of everything that makes mail difficult.

mod letter;

use std::time::Duration;

use jiff::Timestamp;
use letter::Letter;

use crate::sandbox::imap::Account;

/// The address that the mailbox belongs to.
pub const ADDRESS: &str = "support@example.ge";

/// Its password.
pub const PASSWORD: &str = "demo-password";

/// Messages in folders that are synced; one of them lies in two folders.
pub const MESSAGES: usize = 12;

const NINO: &str = "Nino Beridze <nino@example.ge>";
const PETER: &str = "Peter Miller <peter@example.com>";

/// The mailbox, its newest message an hour old at `now`.
///
/// Conversations with replies in Georgian, Russian and English, an HTML newsletter, an attachment, a
/// message without Message-ID, one that lies in two folders, and folders that are not synced.
#[must_use]
pub fn demo_mailbox(now: Timestamp) -> Account {
    let ago = |hours: u64| now.checked_sub(Duration::from_secs(hours * 3600)).unwrap_or(now);
    let mut account = Account::new(PASSWORD);
    account.folder("Sent").special_use("\\Sent");
    account.folder("Spam").special_use("\\Junk");
    let mut put = |folder: &str, hours: u64, flags: &[&str], letter: Letter| {
        account.append(folder, ago(hours), flags, letter.bytes(ago(hours)));
    };

    let georgian = "გამარჯობა! როგორ დავამატო ახალი თანამშრომელი?";
    put(
        "INBOX",
        300,
        &["\\Seen", "\\Answered"],
        Letter::new("q1@example.ge", NINO, "ახალი თანამშრომელი").text(georgian),
    );
    put(
        "INBOX",
        290,
        &["\\Seen"],
        Letter::new("q2@example.ge", NINO, "Re: ახალი თანამშრომელი")
            .reply(&["q1@example.ge", "a1@example.ge"])
            .text("დიდი მადლობა, ყველაფერი გამოვიდა."),
    );
    put(
        "INBOX",
        200,
        &["\\Seen"],
        Letter::new("r1@example.net", "Иван Петров <ivan@example.net>", "Вопрос по счёту")
            .text("Здравствуйте! Когда придёт счёт?"),
    );
    put(
        "INBOX",
        150,
        &["\\Seen"],
        Letter::new("p1@example.com", PETER, "Cannot log in").text("It says my password is wrong."),
    );
    put(
        "INBOX",
        140,
        &["\\Seen", "\\Flagged"],
        Letter::new("p2@example.com", PETER, "Re: Cannot log in")
            .reply(&["p1@example.com"])
            .text("Found it: caps lock. Sorry!"),
    );
    put(
        "INBOX",
        100,
        &["\\Seen"],
        Letter::new("i1@example.com", "Billing <billing@example.com>", "Invoice 2026-117")
            .text("Please find the invoice attached.")
            .attachment("ინვოისი 117.pdf", "application/pdf", b"%PDF-1.4 not much of a document"),
    );
    put(
        "INBOX",
        72,
        &[],
        Letter::new("n1@example.org", "News <news@example.org>", "What is new in November")
            .text("Read it on our site.")
            .html("<h1>November</h1><p>Shorter days, longer <b>reports</b>.</p>"),
    );
    put("INBOX", 48, &[], Letter::anonymous("Scanner <scanner@example.ge>", "Scan from the office").text("One page."));
    put("INBOX", 30, &[], both());
    put(
        "INBOX",
        1,
        &[],
        Letter::new("l1@example.com", PETER, "One more question").text("Do you also answer on Sundays?"),
    );

    put("დახმარება", 30, &["\\Seen"], both());
    put("დახმარება", 20, &[], Letter::new("g1@example.ge", NINO, "სასწრაფო").text("გთხოვთ, დამირეკოთ."));
    put(
        "Archive/2025",
        4000,
        &["\\Seen"],
        Letter::new("o1@example.com", PETER, "An old story").text("From last summer."),
    );

    let own = format!("EchoDesk support <{ADDRESS}>");
    put(
        "Sent",
        295,
        &["\\Seen"],
        Letter::new("a1@example.ge", &own, "Re: ახალი თანამშრომელი").reply(&["q1@example.ge"]).text("ასე: …"),
    );
    put(
        "Spam",
        60,
        &[],
        Letter::new("s1@example.biz", "Prize <prize@example.biz>", "You have won").text("Click here."),
    );
    account
}

/// One more letter arrives, at a moment: an answer to one that is there.
pub fn letter_arrives(account: &mut Account, at: Timestamp) {
    let letter = Letter::new("l2@example.com", PETER, "Re: One more question").reply(&["l1@example.com"]);
    account.append("INBOX", at, &[], letter.text("Thank you. I have found it on your page.").bytes(at));
}

/// The message that somebody has copied into another folder.
fn both() -> Letter {
    Letter::new("b1@example.com", PETER, "For the whole team").text("The same message, in two folders.")
}
