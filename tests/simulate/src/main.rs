//! tmp
use echodesk_simulate::fault::FaultPlan;
use echodesk_simulate::plan::Plan;
fn main() {
    let arg = |n: usize, d: u64| std::env::args().nth(n).and_then(|a| a.parse().ok()).unwrap_or(d);
    let plan = Plan {
        seed: arg(1, 1),
        tenants: arg(2, 20) as u32,
        days: arg(3, 40) as u32,
        hosts: 2,
        only: None,
        faults: if arg(4, 1) == 0 { FaultPlan::none() } else { FaultPlan::all() },
        bug: None,
        backend: Default::default(),
        traced: true,
    };
    let out = echodesk_simulate::simulation::simulate(plan, |_| ());
    for line in &out.trace {
        println!("{line}");
    }
    println!("{:?}\n{:?} {} {} days", out.counts, out.faults, out.fingerprint, out.days);
    if let Some(v) = out.violation {
        println!("{v}");
    }
}
