//! Sessions with a server that plays transcripts, well-behaved and otherwise, over real TLS.

mod bounds;
mod connecting;
mod listing;
mod messages;
mod opening;
mod server;
mod tokens;
