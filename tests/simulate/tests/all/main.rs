//! The simulator, held to what it is for.

mod notices;
