//! Messages to put into mailboxes.

use echodesk_core::{Clock as _, SystemClock};

/// A message of about `size` bytes, the same for the same number.
pub(crate) fn mail(number: usize, size: usize) -> Vec<u8> {
    mail_with_id(&format!("m{number}@example.com"), number, size)
}

/// The same with a Message-ID of one's choice.
pub(crate) fn mail_with_id(id: &str, number: usize, size: usize) -> Vec<u8> {
    // Of today, so that it lies in every history window, and of midnight, so that it is the same.
    let date = SystemClock::new().now().strftime("%a, %d %b %Y 00:00:00 +0000").to_string();
    let mut message = format!(
        "From: Sender {number} <sender{number}@example.com>\r\nTo: user@example.com\r\nSubject: Message {number}\r\n\
         Message-ID: <{id}>\r\nDate: {date}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    );
    while message.len() < size {
        message.push_str("One line is like the other, but there are many of them.\r\n");
    }
    message.push_str(&format!("The end of {number}.\r\n"));
    message.into_bytes()
}
