//! The commands about subscriptions, orders and callbacks.

use std::net::SocketAddr;

use clap::{ArgGroup, Args, Subcommand};
use echodesk_billing::Money;
use echodesk_core::SchemaName;
use echodesk_job::values;
use jiff::Timestamp;

use crate::validate;

#[derive(Args, Debug)]
pub(crate) struct TenantSubscribeArgs {
    /// The tenant, by the name of its schema
    pub(crate) schema: SchemaName,
    /// When it ends unless it is renewed: a time such as 2026-12-01T00:00:00Z, or a day (its beginning, UTC)
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    pub(crate) expires: Timestamp,
    /// For how many agents
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) agents: u32,
    /// Price per agent and month in lari, with at most two decimals; 0 means free
    #[arg(long, value_name = "AMOUNT", value_parser = validate::lari)]
    pub(crate) price: Money,
    /// The bank's id of the order on which the tenant's card was saved; without it there is no card
    #[arg(long, value_name = "BANK_ORDER_ID", value_parser = validate::text::<95>)]
    pub(crate) card: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OrdersCommand {
    /// List charges: those that are open or in trouble, unless said otherwise
    ///
    /// Open means that the money may still move. In trouble means that a person has to look at it; the
    /// last column says why.
    List(OrdersListArgs),
    /// Say how a charge ended, where neither run nor bank can
    ///
    /// Look the order up at the bank first. What is said here extends the subscription, or charges the
    /// card anew, as if the bank had said it. It is kept in the tenant's history with the reason.
    Resolve(OrdersResolveArgs),
}

#[derive(Args, Debug)]
pub(crate) struct OrdersListArgs {
    /// Those only that are open
    #[arg(long, conflicts_with_all = ["unknown", "all"])]
    pub(crate) open: bool,
    /// Those only of which it is not known whether the bank has charged
    #[arg(long, conflicts_with = "all")]
    pub(crate) unknown: bool,
    /// All there ever were
    #[arg(long)]
    pub(crate) all: bool,
    /// This tenant's only
    #[arg(long, value_name = "SCHEMA")]
    pub(crate) tenant: Option<SchemaName>,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(group(ArgGroup::new("end").required(true).args(["paid", "failed"])))]
pub(crate) struct OrdersResolveArgs {
    /// The order as `orders list` shows it
    #[arg(value_parser = validate::text::<100>)]
    pub(crate) order: String,
    /// The bank has taken the money: extend the subscription
    #[arg(long)]
    pub(crate) paid: bool,
    /// The bank has not taken the money, and never will for this order: the card may be charged again
    #[arg(long)]
    pub(crate) failed: bool,
    /// How you know
    #[arg(long, value_name = "REASON", value_parser = validate::text::<500>)]
    pub(crate) because: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CallbacksCommand {
    /// Serve the bank's callback endpoint, until SIGINT or SIGTERM
    ///
    /// POST /api/payments/webhook/ takes callbacks, GET /healthz tells whether the database answers.
    /// It speaks plain HTTP: put it behind a proxy that speaks TLS, under BOG_CALLBACK_URL. Signatures
    /// are checked with the bank's key for BOG_API_BASE_URL, or with BOG_PUBLIC_KEY_FILE.
    Serve(ServeArgs),
}

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// Where to listen: ADDRESS:PORT, for example 127.0.0.1:8787; port 0 means any free one, which the log names
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: SocketAddr,
}
