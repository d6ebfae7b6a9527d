//! The library that moves the clock of a process.

use std::process::Command;

use echodesk_core::{Clock as _, SystemClock};
use echodesk_tests::kill_points::{KillAt, KillPoints};
use echodesk_tests::moving_clock::MovingClock;
use jiff::Timestamp;

fn said(command: &mut Command) -> i64 {
    let output = command.output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

#[test]
fn a_process_believes_that_it_is_another_time() {
    let clock = MovingClock::build().unwrap();
    for text in ["2031-02-03T04:05:06Z", "2019-12-31T23:59:58Z"] {
        let then: Timestamp = text.parse().unwrap();
        let mut date = Command::new("date");
        let late = said(clock.command(date.arg("+%s"), then)) - then.as_second();
        assert!((0..60).contains(&late), "{late} seconds after {text}");
    }
    let mut date = Command::new("date");
    let now = said(date.arg("+%s")) - SystemClock::new().now().as_second();
    assert!(now.abs() < 60, "nobody else does");
}

#[test]
fn it_does_so_beside_another_library() {
    let (clock, kill) = (MovingClock::build().unwrap(), KillPoints::build().unwrap());
    let then: Timestamp = "2031-02-03T04:05:06Z".parse().unwrap();
    let mut date = Command::new("date");
    let command = kill.command(clock.command(date.arg("+%s"), then), KillAt::Never);
    assert!((0..60).contains(&(said(command) - then.as_second())));
}
