//! What a process costs: wall clock, CPU, peak memory.

use std::process::Child;
use std::time::Duration;

use echodesk_core::{Clock as _, SystemClock};

/// The kernel counts CPU time in these (USER_HZ, 100 on Linux).
const TICK: Duration = Duration::from_millis(10);

/// What something cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// User and system time; zero where it was not measured.
    pub(crate) cpu: Duration,
    /// Peak resident memory in kB; zero where it was not measured.
    pub(crate) peak_kb: u64,
}

/// Waits for a child and measures it. Its CPU time is read once it has ended and before it is waited
/// for: until then the kernel keeps it. Its peak memory is looked at while it runs.
pub(crate) fn child(child: &Child, clock: &SystemClock) -> Cost {
    let start = clock.elapsed();
    let mut cost = Cost::default();
    let process = format!("/proc/{}", child.id());
    loop {
        let status = std::fs::read_to_string(format!("{process}/status")).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        cost.peak_kb = cost.peak_kb.max(peak.unwrap_or(0));
        let stat = std::fs::read_to_string(format!("{process}/stat")).unwrap_or_default();
        // The program's name, in parentheses, may hold anything; fields are counted from behind it.
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let ticks = |field: usize| fields.get(field).and_then(|ticks| ticks.parse::<u32>().ok()).unwrap_or(0);
        cost.cpu = cost.cpu.max(TICK * (ticks(11) + ticks(12)));
        if fields.first().is_none_or(|state| state.is_empty() || *state == "Z") {
            cost.wall = clock.elapsed() - start;
            return cost;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Measures something that another process does for us.
pub(crate) fn wall(clock: &SystemClock, work: impl FnOnce()) -> Cost {
    let start = clock.elapsed();
    work();
    Cost { wall: clock.elapsed() - start, ..Cost::default() }
}
