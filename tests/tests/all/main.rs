//! All end-to-end tests, in one binary: linking is what costs.
#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests are tests")]

mod adoption;
mod agreement;
mod bank_client;
mod callback_server;
mod checking;
mod command_line;
mod crash;
mod demo;
mod dependencies;
mod deployment;
mod documentation;
mod dovecot;
mod dry_run;
mod explaining;
mod forecasting;
mod generated;
mod identity;
mod kill_points;
mod misbehaviour;
mod monitoring;
mod moving_clock;
mod notices;
mod payment_deaths;
mod payments;
mod pgbouncer;
mod public_api;
mod renewal;
mod renewal_service;
mod sandbox;
mod sandbox_bank;
mod sandbox_smtp;
mod status;
mod stopping;
mod support;
mod tls;
