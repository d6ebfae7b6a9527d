//! Day after day.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::{Date, Time, time};
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::fault::{FaultId, FaultKind};
use crate::plan::Plan;
use crate::runs::Job;
use crate::violation::Violation;
use crate::world::agenda::Event;
use crate::world::{Counts, World};

/// The lines of the crontab, in the order of the day.
const CRONTAB: [(Time, Job); 9] = [
    (time(2, 0, 0, 0), Job::Payments),
    (time(3, 0, 0, 0), Job::Status),
    (time(8, 0, 0, 0), Job::Payments),
    (time(14, 0, 0, 0), Job::Payments),
    (time(20, 0, 0, 0), Job::Payments),
    (time(0, 30, 0, 0), Job::Sync),
    (time(6, 30, 0, 0), Job::Sync),
    (time(12, 30, 0, 0), Job::Sync),
    (time(18, 30, 0, 0), Job::Sync),
];

/// What came of a simulation.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What was simulated.
    pub plan: Plan,
    /// The promise that was broken, if one was.
    pub violation: Option<Violation>,
    /// Days that were lived to their end.
    pub days: u32,
    /// How many faults of each kind have happened.
    pub faults: BTreeMap<FaultKind, u64>,
    /// Those that have happened, in their order.
    pub happened: Vec<FaultId>,
    /// What they were, if the plan names them one by one.
    pub described: Vec<String>,
    /// What was counted.
    pub counts: Counts,
    /// A name of all that has happened.
    pub fingerprint: String,
    /// What happened to whom the violation is about, if the plan says so; else nothing.
    pub trace: Vec<crate::trace::Line>,
}

/// How far a simulation has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Days that are over.
    pub days: u32,
    /// Captures so far.
    pub captures: u64,
}

/// Simulates, until the days are over or a promise is broken. `progress` is told of each day that is over.
pub fn simulate(plan: Plan, mut progress: impl FnMut(u32)) -> Outcome {
    simulate_while(plan, |so_far| {
        progress(so_far.days);
        true
    })
}

/// Like [`simulate`], and breaks off after a day for which `goes_on` says so.
pub fn simulate_while(plan: Plan, mut goes_on: impl FnMut(Progress) -> bool) -> Outcome {
    let world = World::new(plan.clone());
    let _watched = world.panics.watched();
    let mut lived = 0;
    for day in 0..plan.days {
        world.live_a_day(day);
        if world.violation().is_some() {
            break;
        }
        lived = day + 1;
        if !goes_on(Progress { days: lived, captures: world.counts().captures }) {
            break;
        }
    }
    let violation = world.violation();
    let concerned = violation.as_ref().and_then(|violation| violation.tenant);
    let concerned = concerned.map_or_else(|| world.accounts.numbers(), |tenant| vec![tenant]);
    Outcome {
        violation,
        days: lived,
        faults: world.faults.counts(),
        happened: world.faults.happened(),
        described: world.faults.described(),
        counts: world.counts(),
        fingerprint: world.trace.fingerprint(),
        trace: world.trace.lines(&concerned.into_iter().collect()),
        plan,
    }
}

impl World {
    fn live_a_day(self: &Arc<Self>, day: u32) {
        let begins = self.time.start() + SignedDuration::from_hours(24 * i64::from(day));
        self.live_until(begins);
        let quiet = self.plan.is_quiet(day);
        self.faults.set_quiet(quiet);
        self.trace.note(None, format_args!("day {day}{}", if quiet { ", on which nothing goes wrong" } else { "" }));
        self.set_clocks(day);
        if !self.is_cron_off() && self.faults.happens(FaultKind::CronDayOff, &format!("day {day}")) {
            self.trace.note(None, format_args!("no cron runs for a day"));
            self.set_cron_off_until(begins + SignedDuration::from_hours(24));
        }
        if self.faults.happens(FaultKind::CronWeekOff, &format!("day {day}")) {
            self.trace.note(None, format_args!("no cron runs for a week"));
            self.set_cron_off_until(begins + SignedDuration::from_hours(7 * 24));
        }
        self.plan_customers(day, begins);
        self.plan_dry_runs(day, begins);
        if day % 7 == 6 {
            self.agenda.add(begins + SignedDuration::from_hours(9), None, Event::Operator);
        }
        for (at, job) in self.lines_of(begins) {
            self.live_until(at);
            let hosts = self.hosts_of(at, job);
            if !hosts.is_empty() {
                self.cron(job, &hosts);
            }
            if self.violation().is_some() {
                return self.count_changed_clocks(begins, self.time.now());
            }
        }
        let ends = begins + SignedDuration::from_hours(24);
        self.live_until(ends);
        self.count_changed_clocks(begins, ends);
        self.check_all();
        if self.plan.is_resolved_after(day) {
            self.check_resolved();
        }
    }

    /// The lines of the crontab that are due in the 24 hours from `begins`, by the clock on the hosts' walls.
    fn lines_of(&self, begins: Timestamp) -> Vec<(Timestamp, Job)> {
        let ends = begins + SignedDuration::from_hours(24);
        let first: Date = self.cron_zone.to_datetime(begins).date();
        let days = [first, first.saturating_add(1.day())];
        let lines = days.iter().flat_map(|day| CRONTAB.iter().map(|(time, job)| (day.to_datetime(*time), *job)));
        let lines = lines.flat_map(|(local, job)| self.starts(local).into_iter().map(move |at| (at, job)));
        let mut lines: Vec<_> = lines.filter(|(at, _)| (begins..ends).contains(at)).collect();
        lines.sort();
        lines
    }

    /// On which hosts cron starts a job today.
    fn hosts_of(&self, at: Timestamp, job: Job) -> Vec<usize> {
        if self.is_cron_off() {
            return Vec::new();
        }
        let all = 0..self.clocks.len();
        let runs = |host: &usize| !self.faults.happens(FaultKind::CronMissed, &format!("{at} h{host} {}", job.name()));
        let mut hosts: Vec<usize> = all.filter(runs).collect();
        if !self.faults.happens(FaultKind::HostsAtOnce, &format!("{at} {}", job.name())) {
            hosts.truncate(1);
        }
        hosts
    }

    fn set_clocks(&self, day: u32) {
        for (host, clock) in self.clocks.iter().enumerate() {
            let place = format!("day {day} h{host}");
            let by = SignedDuration::from_secs(self.chance.at(&place).between(60, 3_600).cast_signed());
            let wrong_by = if self.faults.happens(FaultKind::ClockForward, &place) {
                by
            } else if self.faults.happens(FaultKind::ClockBack, &place) {
                -by
            } else {
                SignedDuration::ZERO
            };
            if wrong_by != SignedDuration::ZERO {
                self.trace.note(None, format_args!("the clock of h{host} is wrong by {wrong_by:#}"));
            }
            clock.set_wrong_by(wrong_by);
        }
    }

    fn check_all(&self) {
        for number in self.accounts.numbers() {
            self.check_account(number);
        }
        self.check_new_notices();
        self.check_fates();
        self.check_no_panic();
    }
}
