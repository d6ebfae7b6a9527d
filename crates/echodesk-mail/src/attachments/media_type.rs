//! What little is known about media types: the endings of their files.

/// Types with the ending of their files. Nothing here is run or rendered as a page by a browser
/// that opens it, so these endings may be given to files under a public address.
const SAFE: [(&str, &str); 33] = [
    ("application/gzip", "gz"),
    ("application/json", "json"),
    ("application/msword", "doc"),
    ("application/ms-tnef", "tnef"),
    ("application/vnd.ms-tnef", "tnef"),
    ("application/pdf", "pdf"),
    ("application/pgp-signature", "asc"),
    ("application/pkcs7-signature", "p7s"),
    ("application/rtf", "rtf"),
    ("application/vnd.ms-excel", "xls"),
    ("application/vnd.ms-powerpoint", "ppt"),
    ("application/vnd.oasis.opendocument.spreadsheet", "ods"),
    ("application/vnd.oasis.opendocument.text", "odt"),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ("application/zip", "zip"),
    ("audio/mpeg", "mp3"),
    ("audio/ogg", "ogg"),
    ("audio/wav", "wav"),
    ("image/bmp", "bmp"),
    ("image/gif", "gif"),
    ("image/heic", "heic"),
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("image/tiff", "tiff"),
    ("image/webp", "webp"),
    ("message/rfc822", "eml"),
    ("text/calendar", "ics"),
    ("text/csv", "csv"),
    ("text/plain", "txt"),
    ("video/mp4", "mp4"),
    ("video/quicktime", "mov"),
];

/// The ending of a file of that type, if it is safe to give it one.
pub(crate) fn safe_extension(content_type: &str) -> Option<&'static str> {
    SAFE.iter().find(|(known, _)| *known == content_type).map(|(_, extension)| *extension)
}

/// A name to show for a file of that type that came without one.
pub(crate) fn default_name(content_type: &str) -> String {
    let stem = match content_type.split_once('/') {
        _ if matches!(content_type, "text/calendar") => "invite",
        _ if matches!(content_type, "application/ms-tnef" | "application/vnd.ms-tnef") => {
            return "winmail.dat".to_owned();
        }
        _ if matches!(content_type, "application/pgp-signature" | "application/pkcs7-signature") => "signature",
        Some(("image", _)) => "image",
        Some(("audio", _)) => "audio",
        Some(("video", _)) => "video",
        Some(("message", "delivery-status")) => return "delivery-status.txt".to_owned(),
        Some(("message", "disposition-notification")) => return "disposition-notification.txt".to_owned(),
        Some(("message", _)) => "message",
        Some(("text", "html")) => return "text.html".to_owned(),
        Some(("text", "rfc822-headers")) => return "headers.txt".to_owned(),
        Some(("text", _)) => "text",
        Some(("application", "pdf")) => "document",
        _ => "attachment",
    };
    match safe_extension(content_type) {
        Some(extension) => format!("{stem}.{extension}"),
        None => stem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_browser_runs_is_safe() {
        for content_type in
            ["text/html", "image/svg+xml", "application/javascript", "application/xhtml+xml", "text/xml"]
        {
            assert_eq!(safe_extension(content_type), None, "{content_type}");
        }
    }

    #[test]
    fn names_tell_the_kind() {
        let cases = [
            ("image/png", "image.png"),
            ("image/svg+xml", "image"),
            ("text/calendar", "invite.ics"),
            ("application/ms-tnef", "winmail.dat"),
            ("message/rfc822", "message.eml"),
            ("application/x-unheard-of", "attachment"),
        ];
        for (content_type, name) in cases {
            assert_eq!(default_name(content_type), name);
        }
    }
}
