//! Bugs of delivery.
