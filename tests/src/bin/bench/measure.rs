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
        let stat = Stat::of(child.id());
        cost.cpu = cost.cpu.max(stat.as_ref().map_or(Duration::ZERO, |stat| stat.cpu));
        if stat.is_none_or(|stat| stat.state == "Z") {
            cost.wall = clock.elapsed() - start;
            return cost;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// `/proc/PID/stat`, as far as it is of use here.
struct Stat {
    state: String,
    parent: u32,
    /// Its own user and system time.
    cpu: Duration,
    /// That of its children that have ended.
    cpu_of_children: Duration,
}

impl Stat {
    fn of(process: u32) -> Option<Self> {
        let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The program's name, in parentheses, may hold anything; fields are counted from behind it.
        let fields: Vec<&str> = text.rsplit(") ").next()?.split(' ').collect();
        let number = |field: usize| fields.get(field).and_then(|number| number.parse::<u32>().ok()).unwrap_or(0);
        Some(Self {
            state: (*fields.first()?).to_owned(),
            parent: number(1),
            cpu: TICK * (number(11) + number(12)),
            cpu_of_children: TICK * (number(13) + number(14)),
        })
    }
}

/// CPU time of a process and of all children that it has or had.
pub(crate) fn cpu_of_family(process: u32) -> Duration {
    let own = Stat::of(process).map_or(Duration::ZERO, |stat| stat.cpu + stat.cpu_of_children);
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let children = numbers.filter_map(Stat::of).filter(|stat| stat.parent == process);
    children.fold(own, |sum, stat| sum + stat.cpu)
}

/// Measures something that another process does for us.
pub(crate) fn wall(clock: &SystemClock, work: impl FnOnce()) -> Cost {
    let start = clock.elapsed();
    work();
    Cost { wall: clock.elapsed() - start, ..Cost::default() }
}

/// A line of the table: what it cost, and how often as long as `limit`.
pub(crate) fn show(name: &str, cost: Cost, limit: Cost) {
    let measured = |value: f64, digits: usize| if value > 0.0 { format!("{value:.digits$}") } else { "–".to_owned() };
    // Peak memory of any process here is far below 2^53 kB.
    let peak = u32::try_from(cost.peak_kb).map_or(0.0, |kb| f64::from(kb) / 1024.0);
    let ratio = if limit.wall.is_zero() { 0.0 } else { cost.wall.as_secs_f64() / limit.wall.as_secs_f64() };
    let (wall, cpu) = (measured(cost.wall.as_secs_f64(), 2), measured(cost.cpu.as_secs_f64(), 2));
    println!("{name:<34} {wall:>8} {cpu:>8} {:>8} {:>9}", measured(peak, 0), measured(ratio, 2));
}
