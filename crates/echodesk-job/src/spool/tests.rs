use super::*;

fn lines(spool: &Spool, only_failed: bool) -> io::Result<String> {
    let mut text = Vec::new();
    spool.lines(only_failed, |piece| {
        assert!(piece.ends_with(b"\n"), "a piece ends with a line");
        text.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(String::from_utf8(text).unwrap())
}

#[test]
fn items_come_back_in_their_order_however_often_they_are_read() {
    let spool = Spool::new().unwrap();
    assert_eq!((lines(&spool, false).unwrap().as_str(), serde_json::to_string(&spool).unwrap().as_str()), ("", "[]"));
    spool.append(&serde_json::json!({"n": 1}), "one", false);
    assert_eq!(lines(&spool, false).unwrap(), "one\n");
    spool.append(&serde_json::json!({"n": 2}), "two", true);
    for _ in 0..2 {
        assert_eq!(lines(&spool, false).unwrap(), "one\ntwo\n");
        assert_eq!(lines(&spool, true).unwrap(), "two\n");
        assert_eq!(serde_json::to_string(&spool).unwrap(), r#"[{"n":1},{"n":2}]"#);
    }
}

#[test]
fn many_items_are_handed_out_in_pieces() {
    let spool = Spool::new().unwrap();
    for number in 0..20_000 {
        spool.append(&number, &format!("line {number:06}"), false);
    }
    let (mut pieces, mut bytes) = (0, 0);
    spool
        .lines(false, |piece| {
            assert!(piece.len() < 70_000, "{}", piece.len());
            (pieces, bytes) = (pieces + 1, bytes + piece.len());
            Ok(())
        })
        .unwrap();
    assert!(pieces > 2, "{pieces}");
    assert_eq!(bytes, 20_000 * "line 000000\n".len());
    let numbers: Vec<u32> = serde_json::from_value(serde_json::to_value(&spool).unwrap()).unwrap();
    assert!(numbers.into_iter().eq(0..20_000));
}

#[test]
fn an_item_is_one_line_whatever_it_holds() {
    let spool = Spool::new().unwrap();
    spool.append(&"a\nb", "two\nlines \x1b[2J\n", false);
    assert_eq!(lines(&spool, false).unwrap(), "two lines  [2J\n");
    assert_eq!(serde_json::to_string(&spool).unwrap(), r#"["a\nb"]"#);
}

#[test]
fn a_full_disk_is_told_when_the_items_are_read_and_the_list_is_not_taken_for_whole() {
    let full = || BufWriter::with_capacity(0, File::options().write(true).open("/dev/full").unwrap());
    let good = || BufWriter::new(tempfile::tempfile().unwrap());
    let spool = Spool { files: Mutex::new(Files { values: full(), lines: good(), broken: None }) };
    spool.append(&1, "one", false);
    spool.append(&2, "two", false);
    assert!(lines(&spool, false).unwrap_err().to_string().contains("not whole"));
    assert!(serde_json::to_string(&spool).unwrap_err().to_string().contains("not whole"));
}

#[test]
fn items_of_several_threads_do_not_mix() {
    let spool = Spool::new().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let spool = &spool;
            scope.spawn(move || (0..500).for_each(|n| spool.append(&n, &format!("{thread} of {thread}"), false)));
        }
    });
    let text = lines(&spool, false).unwrap();
    assert_eq!(text.lines().count(), 2000);
    assert!(text.lines().all(|line| ["0 of 0", "1 of 1", "2 of 2", "3 of 3"].contains(&line)), "{text}");
}
