//! What the simulator finds, and that it finds nothing where there is nothing.

mod billing_bugs;
