//! What is typed: flags, their help, and the command that repeats a plan.

mod repeat;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};

use crate::bugs::Bug;
use crate::fault::{FaultId, FaultKind, FaultPlan};
use crate::plan::{Backend, Plan};
use crate::trace::TenantNumber;

pub use repeat::command;

/// The real runs (renewals, reminders and suspensions, delivery, mailboxes, callbacks) on the real store and a virtual
/// clock, in a simulated world in which everything goes wrong.
///
/// After every step the promises are held against the world's own truth. What is broken is shrunk to the fewest
/// tenants, days and faults that break it, and printed with the command that repeats it. All that happens follows from
/// the flags.
#[derive(Debug, Parser)]
#[command(
    name = "simulate",
    version,
    after_long_help = AFTER_HELP,
    max_term_width = 100,
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Names faults, bugs and promises, and ends.
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    how: How,
}

const AFTER_HELP: &str = "\
Examples:
  simulate                                     a small world, seed 1
  simulate --seed 7 --tenants 1000 --days 400  a large one
  simulate --seeds 100                         seeds 1 to 100, on all cores
  simulate --fault callback-lost=1             no callback ever comes, and nothing else goes wrong
  simulate --no-fault cron-week-off            everything goes wrong but that
  simulate --no-faults                         nothing goes wrong
  simulate --bug settlement-unguarded          a known bug is put back in: it is found
  simulate score                               all of them

Exit codes:
  0  nothing was broken; `score`: every bug was found
  1  a promise was broken; `score`: a bug was not found
  2  wrong usage, or what is needed is not there";

#[derive(Debug, Subcommand)]
enum Command {
    /// Puts every known bug back in, one after the other, and looks how soon it is found.
    Score {
        /// How many seeds each is looked for with, at most.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
        seeds: u64,
        /// How many simulations run at once [default: as many as there are cores].
        #[arg(long)]
        jobs: Option<usize>,
    },
}

/// What is simulated.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is simulated")]
struct What {
    /// What all chance follows from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds, from that one on.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// How many tenants there are.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    tenants: u32,
    /// How many days pass.
    #[arg(long, default_value_t = 80, value_parser = clap::value_parser!(u32).range(1..))]
    days: u32,
    /// How many hosts run the crontab.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=9))]
    hosts: u32,
    /// How many tenants in a thousand have mailboxes; the first always has, unless nobody does.
    #[arg(long, value_name = "PER_MILLE", default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=1000))]
    mailboxes: u32,
    /// The database under the store.
    #[arg(long, value_name = "BACKEND", default_value = "sqlite", value_parser = PossibleValuesParser::new(["sqlite", "postgres"]))]
    backend: String,
    /// This goes wrong, and nothing that is not named; may be given several times. From 0 to 1; if not said, as likely
    /// as usual.
    #[arg(long, value_name = "KIND[=PROBABILITY]")]
    fault: Vec<FaultFlag>,
    /// This does not go wrong; may be given several times.
    #[arg(long, value_name = "KIND")]
    no_fault: Vec<FaultKind>,
    /// Nothing goes wrong.
    #[arg(long, conflicts_with_all = ["fault", "no_fault", "only_faults"])]
    no_faults: bool,
    /// A known bug that is put back in.
    #[arg(long, value_name = "NAME")]
    bug: Option<Bug>,
    /// Of the tenants only this one; may be given several times. The same happens to it.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    only_tenant: Vec<u32>,
    /// Of all faults only these: as a violation names them.
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    only_faults: Option<Vec<FaultId>>,
    /// From this day on nothing goes wrong [default: the last four days].
    #[arg(long, value_name = "DAY")]
    quiet_from: Option<u32>,
}

/// How it is run and told.
#[derive(Debug, Args)]
#[command(next_help_heading = "How it is run and told")]
pub struct How {
    /// Writes what happened to a file, line by line, `-` for standard output. If a promise is broken, only what happened
    /// to whom it was broken for.
    #[arg(long, value_name = "FILE", conflicts_with = "seeds")]
    pub trace: Option<PathBuf>,
    /// Does not look for a smaller plan that breaks the same promise.
    #[arg(long)]
    pub no_shrink: bool,
    /// How many simulations that may take.
    #[arg(long, value_name = "RUNS", default_value_t = 400)]
    pub shrink_runs: u32,
    /// How many seeds run at once [default: as many as there are cores].
    #[arg(long)]
    pub jobs: Option<usize>,
}

/// A kind of fault, and how likely it is if somebody says so.
#[derive(Clone, Copy, Debug)]
struct FaultFlag {
    kind: FaultKind,
    probability: Option<f64>,
}

impl FromStr for FaultFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, probability) = match text.split_once('=') {
            Some((kind, probability)) => (kind, Some(probability)),
            None => (text, None),
        };
        let kind = kind.parse().map_err(|error: crate::fault::UnknownFault| error.to_string())?;
        let number = |text: &str| text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
        let said = probability.map(|text| number(text).ok_or(format!("{text:?} is not a number from 0 to 1")));
        Ok(Self { kind, probability: said.transpose()? })
    }
}

/// What somebody asks for.
#[derive(Debug)]
pub enum Asked {
    /// To know what there is.
    List,
    /// The score.
    Score {
        /// With so many seeds at most.
        seeds: u64,
        /// So many simulations at once.
        jobs: Option<usize>,
    },
    /// Simulations.
    Simulate {
        /// One for each seed.
        plans: Vec<Plan>,
        /// How.
        how: How,
    },
}

impl Cli {
    /// What is asked for.
    #[must_use]
    pub fn asked(self) -> Asked {
        match self.command {
            Some(Command::Score { seeds, jobs }) => Asked::Score { seeds, jobs },
            None if self.list => Asked::List,
            None => Asked::Simulate { plans: self.what.plans(), how: self.how },
        }
    }
}

impl What {
    fn plans(&self) -> Vec<Plan> {
        let plan = Plan {
            seed: self.seed,
            tenants: self.tenants,
            only: self.only(),
            days: self.days,
            quiet_from: self.quiet_from,
            hosts: self.hosts,
            mailboxes: self.mailboxes,
            faults: self.faults(),
            bug: self.bug,
            backend: if self.backend == "postgres" { Backend::Postgres } else { Backend::Sqlite },
            traced: false,
        };
        (0..self.seeds).map(|nth| Plan { seed: self.seed.wrapping_add(nth), ..plan.clone() }).collect()
    }

    fn only(&self) -> Option<BTreeSet<TenantNumber>> {
        let only: BTreeSet<TenantNumber> = self.only_tenant.iter().copied().map(TenantNumber).collect();
        (!only.is_empty()).then_some(only)
    }

    fn faults(&self) -> FaultPlan {
        if self.no_faults {
            return FaultPlan::none();
        }
        let mut plan = FaultPlan::all();
        if !self.fault.is_empty() {
            let named: Vec<FaultKind> = self.fault.iter().map(|flag| flag.kind).collect();
            plan = FaultPlan::of(&named);
            let said = self.fault.iter().filter_map(|flag| Some((flag.kind, flag.probability?)));
            plan.probabilities.extend(said);
        }
        plan.probabilities.retain(|kind, _| !self.no_fault.contains(kind));
        plan.only = self.only_faults.as_ref().map(|only| only.iter().copied().collect());
        plan
    }
}
