//! Callers who send too much, too slowly, or never end; and stopping while they do.

use super::*;

const SHORT: Duration = Duration::from_millis(300);

#[test]
fn a_body_that_is_too_long_is_refused_and_reaches_nobody() {
    let double = Arc::new(Double::new(Reply::Done));
    let server = Running::start(double.clone(), Limits::default());
    let most = vec![b'x'; 1 << 20];
    assert_eq!(status(&server.ask(&post(WEBHOOK, "", &most))), 200, "a megabyte is taken");
    for length in [(1 << 20) + 1, 10 << 20] {
        let answer = server.ask(&post(WEBHOOK, "", &vec![b'x'; length]));
        assert_eq!(status(&answer), 413, "{answer}");
    }
    // Announced and not sent: nobody waits for it.
    let announced = format!("POST {WEBHOOK} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", 1_u64 << 40);
    assert_eq!(status(&server.ask(announced.as_bytes())), 413);
    assert_eq!(double.asked(), [(1 << 20, None)]);
}

#[test]
fn slow_and_silent_callers_are_cut_off_and_hold_up_nobody() {
    let limits = Limits { headers_within: SHORT, body_within: SHORT, connections: 4, ..Limits::default() };
    let double = Arc::new(Double::new(Reply::Done));
    let server = Running::start(double.clone(), limits);
    let mut silent = server.connect();
    let mut half_a_head = server.connect();
    half_a_head.write_all(b"POST /api/payments/webhook/ HTTP/1.1\r\nHost:").unwrap();
    let mut half_a_body = server.connect();
    half_a_body
        .write_all(b"POST /api/payments/webhook/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
        .unwrap();
    let mut dripping = server.connect();
    let mut drops = dripping.try_clone().unwrap();
    let drip = std::thread::spawn(move || {
        for _ in 0..1000 {
            if drops.write_all(b"X").is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("a header that never ends was read to the end");
    });

    // All places are taken; somebody honest is served as soon as the first is free.
    assert_eq!(status(&server.ask(&post(WEBHOOK, "", b"{}"))), 200);
    assert_eq!(status(&answer(&mut half_a_body)), 408);
    for stream in [&mut silent, &mut half_a_head, &mut dripping] {
        let answer = answer(stream);
        assert!(answer.is_empty() || status(&answer) == 408, "{answer}");
    }
    drip.join().unwrap();
    assert_eq!(double.asked(), [(2, None)]);
}

#[test]
fn who_waits_too_long_for_the_database_is_told_to_come_again() {
    let limits = Limits { database: 1, turn_within: SHORT, ..Limits::default() };
    let double = Arc::new(Double { takes: Duration::from_secs(2), ..Double::new(Reply::Done) });
    let server = Running::start(double, limits);
    let mut first = server.connect();
    first.write_all(&post(WEBHOOK, "", b"{}")).unwrap();
    std::thread::sleep(SHORT);
    assert_eq!(status(&server.ask(&post(WEBHOOK, "", b"{}"))), 503);
    assert_eq!(status(&answer(&mut first)), 200);
}

#[test]
fn a_stop_finishes_what_is_in_flight_and_frees_the_address() {
    let double = Arc::new(Double { takes: Duration::from_secs(1), ..Double::new(Reply::Done) });
    let mut server = Running::start(double.clone(), Limits { headers_within: SHORT, ..Limits::default() });
    let _silent = server.connect();
    let mut in_flight = server.connect();
    in_flight.write_all(&post(WEBHOOK, "", b"{}")).unwrap();
    std::thread::sleep(SHORT);
    server.stop.stop();
    assert_eq!(status(&answer(&mut in_flight)), 200);
    server.join();
    assert_eq!(double.asked().len(), 1);
    assert!(TcpStream::connect(server.address).is_err(), "nobody listens any more");
}

#[test]
fn a_stop_does_not_wait_for_ever() {
    let limits = Limits { stop_within: SHORT, ..Limits::default() };
    let mut server = Running::start(Arc::new(Double::new(Reply::Done)), limits);
    let mut slow = server.connect();
    slow.write_all(b"POST /api/payments/webhook/ HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc").unwrap();
    std::thread::sleep(SHORT);
    server.stop.stop();
    server.join();
}
