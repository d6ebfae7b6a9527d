//! What a subscription costs.

use rust_decimal::Decimal;

use crate::{Currency, Money, MoneyError};

/// A month of a subscription: the sum of its features' prices per user (GEL), times its agents. No
/// features means free.
///
/// # Errors
/// The result is no amount of money: a negative price, a fraction of a tetri, or too much.
pub fn monthly_price(feature_prices: impl IntoIterator<Item = Decimal>, agents: u32) -> Result<Money, MoneyError> {
    let mut per_agent = Decimal::ZERO;
    for price in feature_prices {
        per_agent = per_agent.checked_add(price).ok_or(MoneyError::TooLarge(price))?;
    }
    let price = per_agent.checked_mul(Decimal::from(agents)).ok_or(MoneyError::TooLarge(per_agent))?;
    Money::new(price, Currency::Gel)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(features: &[&str], agents: u32) -> Result<String, MoneyError> {
        monthly_price(features.iter().map(|text| text.parse().unwrap()), agents).map(|price| price.to_string())
    }

    #[test]
    fn the_sum_of_features_times_agents() {
        assert_eq!(price(&["10.00", "2.55"], 3).unwrap(), "37.65 GEL");
        assert_eq!(price(&[], 10).unwrap(), "0.00 GEL");
        assert_eq!(price(&["10"], 0).unwrap(), "0.00 GEL");
    }

    #[test]
    fn absurd_prices_are_errors_not_panics() {
        assert!(price(&["79228162514264337593543950335", "1"], 1).is_err());
        assert!(price(&["79228162514264337593543950335"], 2).is_err());
        assert!(price(&["-5"], 2).is_err());
    }
}
