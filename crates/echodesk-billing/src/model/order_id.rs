//! Names of orders: ours and the bank's.

use std::fmt;

use serde::Serialize;
use uuid::Uuid;

/// `tenants_payment_order.order_id`: our name of an order, which the bank knows as
/// `external_order_id`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct OrderId(pub String);

impl OrderId {
    /// A name for a renewal, as EchoDesk names them: `REC-` and 12 hexadecimal digits in capitals. The
    /// bank shows the first 25 characters on statements.
    #[must_use]
    pub fn renewal(random: Uuid) -> Self {
        // The last 48 bits of a version 4 UUID are random throughout.
        let digits = random.simple().to_string().to_ascii_uppercase();
        Self(format!("REC-{}", &digits[20..]))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The bank's name of an order. Of the order on which a card was saved (the parent order), it is also
/// what the saved card is charged by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct BankOrderId(pub String);

impl BankOrderId {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BankOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewals_are_named_as_echodesk_names_them() {
        let random = "11111111-2222-4333-8444-abcdef012345".parse().unwrap();
        assert_eq!(OrderId::renewal(random).as_str(), "REC-ABCDEF012345");
    }
}
