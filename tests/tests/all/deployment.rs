//! What is in `deploy/`: that the programs of the system take it, and that it is what it claims to be.
