//! From the command line to a command, and from its answer to the exit code.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use echodesk_core::{Clock, Environment};
use echodesk_job::terminal::Terminal;
use echodesk_job::{ExitStatus, JobError, LogFormat, Needs, Process, Settings, generate, one_line, output, readiness};
use echodesk_store::{Access, Store};

use crate::answer::Answer;
use crate::cli::{
    CallbacksCommand, Cli, Command, IdentityCommand, MailboxCommand, NoticesCommand, OrdersCommand, RunsCommand,
    TenantCommand,
};
use crate::error::CommandError;
use crate::{callbacks, check, explain, forecast, identity, mailbox, migrate, notices, orders, runs, tenant};

/// What commands work with.
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<dyn Clock>,
    /// Standard error.
    pub(crate) terminal: Terminal,
}

impl World {
    /// The database, refused if its shared tables are not as this version needs them.
    pub(crate) fn store(&self, access: Access, needs: Needs) -> Result<Store, CommandError> {
        let store = Store::open(&self.settings.database, access)?;
        readiness::check(&store, needs)?;
        Ok(store)
    }
}

/// The whole of `main`.
pub(crate) fn main() -> ExitCode {
    if let Some(code) = generate::asked::<Cli>() {
        return code;
    }
    let cli = Cli::parse();
    let format = cli.global.log_format;
    let process = Process::start(&cli.global);
    let (clock, terminal) = (Arc::clone(&process.clock), process.terminal.clone());
    let outcome = process.work(|environment| {
        let answer = run(cli, environment, clock, terminal.clone())?;
        output::print(answer.text.as_bytes())
            .map_err(|source| JobError::System { what: "write the answer to standard output", source })?;
        Ok(answer.status)
    });
    let status = outcome.unwrap_or_else(|error: CommandError| {
        match format {
            // Nobody can be told that standard error is gone.
            LogFormat::Text => drop(terminal.print(format!("error: {}\n", one_line(&error)).as_bytes())),
            LogFormat::Json => tracing::error!("{}", one_line(&error)),
        }
        error.status()
    });
    ExitCode::from(ExitStatus::code(status))
}

fn run(cli: Cli, environment: Environment, clock: Arc<dyn Clock>, terminal: Terminal) -> Result<Answer, CommandError> {
    let settings = match (Settings::new(&cli.global, environment.clone()), &cli.command) {
        // Who asks what is wrong is told all of it.
        (Err(error), Command::Check(args)) => return Ok(check::without_database(&error, &environment, args)),
        (settings, _) => settings?,
    };
    let world = World { settings, clock, terminal };
    match cli.command {
        Command::Migrate(args) => migrate::run(&world, &args),
        Command::Tenant(TenantCommand::Add(args)) => tenant::add(&world, args),
        Command::Tenant(TenantCommand::List(args)) => tenant::list(&world, &args),
        Command::Tenant(TenantCommand::Subscribe(args)) => tenant::subscribe(&world, args),
        Command::Mailbox(MailboxCommand::Add(args)) => mailbox::add(&world, *args),
        Command::Mailbox(MailboxCommand::List(args)) => mailbox::list(&world, &args),
        Command::Mailbox(MailboxCommand::Enable(args)) => mailbox::enable(&world, &args),
        Command::Orders(OrdersCommand::List(args)) => orders::list(&world, &args),
        Command::Orders(OrdersCommand::Resolve(args)) => orders::resolve(&world, &args),
        Command::Callbacks(CallbacksCommand::Serve(args)) => callbacks::serve(&world, &args),
        Command::Notices(NoticesCommand::List(args)) => notices::list(&world, &args),
        Command::Notices(NoticesCommand::Retry(args)) => notices::retry(&world, &args),
        Command::Notices(NoticesCommand::Preview(args)) => notices::preview(&world, &args),
        Command::Forecast(args) => forecast::run(&world, &args),
        Command::SendTestEmail(args) => notices::send_test(&world, &args),
        Command::Identity(IdentityCommand::Bind(args)) => identity::bind(&world, &args),
        Command::Identity(IdentityCommand::Show(args)) => identity::show(&world, &args),
        Command::Runs(RunsCommand::List(args)) => runs::list(&world, &args),
        Command::Check(args) => Ok(check::run(&world, &args)),
        Command::Explain(args) => explain::run(&world, &args),
    }
}
