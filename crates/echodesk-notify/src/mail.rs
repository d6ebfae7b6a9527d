//! A mail as it goes over the wire.

/// A mail, ready to be handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's only recipient.
    pub to: String,
    /// Its Message-ID, with angle brackets: the same for every repeat of the same notice.
    pub message_id: String,
    /// Headers and body, lines ended by CRLF, not dot-stuffed.
    pub bytes: Vec<u8>,
}
