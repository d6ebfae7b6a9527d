use proptest::prelude::*;

use super::*;

fn print(content: u8) -> Fingerprint {
    Fingerprint {
        digest: ContentDigest([content; 32]),
        from_email: "ana@example.com".to_owned(),
        subject: format!("subject {content}"),
        timestamp: Timestamp::UNIX_EPOCH,
    }
}

fn row(row: i64, message_id: &str, digests: &[u8]) -> Existing {
    Existing {
        row,
        message_id: message_id.to_owned(),
        digests: digests.iter().map(|content| ContentDigest([*content; 32])).collect(),
        from_email: "ana@example.com".to_owned(),
        subject: "subject 1".to_owned(),
        timestamp: Timestamp::UNIX_EPOCH,
        connection: 1,
        folder: "INBOX".to_owned(),
        uid: "10".to_owned(),
    }
}

/// A place that no row has.
const ELSEWHERE: Place<'_> = Place { connection: 2, folder: "Archive", uid: Uid(99) };

fn place_one(message_id: &str, content: u8, existing: &[Existing]) -> Placement {
    let fingerprint = print(content);
    place(&[Candidate { message_id, fingerprint: &fingerprint, place: ELSEWHERE }], existing, 500).remove(0)
}

#[test]
fn the_table_of_cases() {
    let new = |id: &str| Placement::New { message_id: id.to_owned() };
    let other = variant("<a@b>", &ContentDigest([2; 32]), 500);
    assert_eq!(place_one("<a@b>", 1, &[]), new("<a@b>"), "nobody has it");
    assert_eq!(place_one("<a@b>", 1, &[row(7, "<a@b>", &[1])]), Placement::Row(7), "same content");
    assert_eq!(place_one("<a@b>", 2, &[row(7, "<a@b>", &[1])]), new(&other), "other content");
    assert_eq!(
        place_one("<a@b>", 2, &[row(7, "<a@b>", &[1]), row(8, &other, &[2])]),
        Placement::Row(8),
        "other content, seen before"
    );
    assert_eq!(place_one("<a@b>", 1, &[row(7, "a@b", &[])]), Placement::Row(7), "EchoDesk kept it without brackets");
}

#[test]
fn rows_that_echodesk_wrote_are_compared_by_author_date_subject_and_place() {
    let there = Place { connection: 1, folder: "INBOX", uid: Uid(10) };
    let (right, wrong) = ("1970-01-01T00:00:00.9Z", "1970-01-01T00:00:01Z");
    let places = [
        ("there", there),
        ("another mailbox", Place { connection: 2, ..there }),
        ("another folder", Place { folder: "inbox", ..there }),
        ("another UID", Place { uid: Uid(1), ..there }),
    ];
    // Author, date and subject of the row, and whether it is the mail: in its place, and elsewhere.
    let table = [
        ("ANA@Example.com", right, "subject 1", true, true),
        ("ana@example.com", right, " subject\t\n 1 ", true, true),
        ("ana@example.com", right, "decoded differently", true, false),
        ("ana@example.com", wrong, "subject  1", true, false),
        ("ana@example.com", wrong, "decoded differently", false, false),
        ("eve@example.com", right, "subject 1", false, false),
    ];
    let fingerprint = print(1);
    for (from_email, timestamp, subject, is_there, is_elsewhere) in table {
        let theirs = Existing {
            from_email: from_email.to_owned(),
            timestamp: timestamp.parse().unwrap(),
            subject: subject.to_owned(),
            ..row(7, "<a@b>", &[])
        };
        for (at, (name, lies)) in places.into_iter().enumerate() {
            let candidate = Candidate { message_id: "<a@b>", fingerprint: &fingerprint, place: lies };
            let is_same = place(&[candidate], std::slice::from_ref(&theirs), 500) == [Placement::Row(7)];
            assert_eq!(is_same, if at == 0 { is_there } else { is_elsewhere }, "{name}: {theirs:?}");
        }
    }
}

#[test]
fn a_row_that_echodesk_wrote_is_one_mail_and_not_two_of_one_batch() {
    let theirs = [row(7, "<a@b>", &[])];
    let first = print(1);
    let second = Fingerprint { digest: ContentDigest([2; 32]), ..first.clone() };
    let candidate = |fingerprint| Candidate { message_id: "<a@b>", fingerprint, place: ELSEWHERE };
    let placed = place(&[candidate(&first), candidate(&second), candidate(&first)], &theirs, 500);
    let other = Placement::New { message_id: variant("<a@b>", &second.digest, 500) };
    assert_eq!(placed, [Placement::Row(7), other, Placement::Row(7)]);
}

#[test]
fn long_ids_stay_apart_and_fit() {
    let (one, two) = (format!("<{}1@b>", "x".repeat(600)), format!("<{}2@b>", "x".repeat(600)));
    let (one, two) = (shorten(&one, 500), shorten(&two, 500));
    assert_ne!(one, two);
    assert_eq!(one.chars().count(), 500);
    assert_eq!(shorten("<a@b>", 500), "<a@b>");
    assert_eq!(variant(&"გ".repeat(500), &ContentDigest([1; 32]), 500).chars().count(), 500);
}

proptest! {
    /// However messages are cut into batches, each content ends in exactly one row, and no two
    /// rows share a name.
    #[test]
    fn batches_do_not_matter(
        messages in proptest::collection::vec((0_u8..3, 0_u8..4), 1..20),
        cuts in proptest::collection::vec(1_usize..5, 20),
    ) {
        let ids = ["<a@b>", "<c@d>", "e@f"];
        let mut rows: Vec<Existing> = Vec::new();
        let mut where_is: Vec<i64> = Vec::new();
        let mut rest = &messages[..];
        for cut in cuts {
            let (batch, after) = rest.split_at(cut.min(rest.len()));
            rest = after;
            let prints: Vec<_> = batch.iter().map(|(_, content)| print(*content)).collect();
            let candidates: Vec<_> = batch
                .iter()
                .zip(&prints)
                .map(|((id, _), fingerprint)| {
                    Candidate { message_id: ids[usize::from(*id)], fingerprint, place: ELSEWHERE }
                })
                .collect();
            let start = where_is.len();
            for (placement, (_, content)) in place(&candidates, &rows, 500).into_iter().zip(batch) {
                let target = match placement {
                    Placement::Row(row) => row,
                    Placement::Earlier(index) => where_is[start + index],
                    Placement::New { message_id } => {
                        prop_assert!(rows.iter().all(|row| row.message_id != message_id), "{}", message_id);
                        let id = i64::try_from(rows.len()).unwrap();
                        rows.push(row(id, &message_id, &[*content]));
                        id
                    }
                };
                where_is.push(target);
            }
        }
        for (a, at_a) in messages.iter().zip(&where_is) {
            for (b, at_b) in messages.iter().zip(&where_is) {
                prop_assert_eq!(a == b, at_a == at_b, "{:?} {:?}", a, b);
            }
        }
    }
}
