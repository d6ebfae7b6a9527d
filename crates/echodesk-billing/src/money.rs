//! Exact amounts with a currency. Never a float: 25.5 as the bank writes it equals 25.50 as the
//! database keeps it.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

/// The currencies that the Bank of Georgia's payment API takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Currency {
    /// Georgian lari, what EchoDesk charges in.
    Gel,
    /// US dollar.
    Usd,
    /// Euro.
    Eur,
    /// Pound sterling.
    Gbp,
}

/// An amount in major units, zero or more, with at most two decimals: what `numeric(10,2)` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

/// Why a number is no amount of money.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// Below zero.
    #[error("{0} is negative")]
    Negative(Decimal),
    /// More than two decimals.
    #[error("{0} has more than two decimals")]
    TooPrecise(Decimal),
    /// More than eight digits before the point.
    #[error("{0} is over 99999999.99")]
    TooLarge(Decimal),
    /// Not one of [`Currency`].
    #[error("{0:?} is not a currency that the bank takes")]
    UnknownCurrency(String),
}

impl Money {
    /// An amount in `currency`.
    ///
    /// # Errors
    /// It is negative, has over two decimals that are not zero, or does not fit `numeric(10,2)`.
    pub fn new(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let amount = amount.normalize();
        if amount.is_sign_negative() && !amount.is_zero() {
            return Err(MoneyError::Negative(amount));
        }
        if amount.scale() > 2 {
            return Err(MoneyError::TooPrecise(amount));
        }
        if amount >= Decimal::from(100_000_000) {
            return Err(MoneyError::TooLarge(amount));
        }
        Ok(Self { amount, currency })
    }

    /// The amount in major units.
    #[must_use]
    pub fn amount(self) -> Decimal {
        self.amount
    }

    /// The currency.
    #[must_use]
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// Whether there is nothing to pay.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.amount.is_zero()
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} {}", self.amount, self.currency)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gel => "GEL",
            Self::Usd => "USD",
            Self::Eur => "EUR",
            Self::Gbp => "GBP",
        })
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    /// Reads an ISO 4217 code in capitals.
    fn from_str(code: &str) -> Result<Self, Self::Err> {
        [Self::Gel, Self::Usd, Self::Eur, Self::Gbp]
            .into_iter()
            .find(|currency| currency.to_string() == code)
            .ok_or_else(|| MoneyError::UnknownCurrency(code.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gel(text: &str) -> Result<Money, MoneyError> {
        Money::new(text.parse().unwrap(), Currency::Gel)
    }

    #[test]
    fn amounts_are_compared_as_numbers_and_shown_with_two_decimals() {
        assert_eq!(gel("25.5"), gel("25.500"));
        assert_eq!(gel("25.5").unwrap().to_string(), "25.50 GEL");
        assert!(gel("0").unwrap().is_zero());
    }

    #[test]
    fn what_the_column_cannot_hold_is_refused() {
        assert!(matches!(gel("-0.01"), Err(MoneyError::Negative(_))));
        assert!(matches!(gel("0.001"), Err(MoneyError::TooPrecise(_))));
        assert!(matches!(gel("100000000"), Err(MoneyError::TooLarge(_))));
        assert!(gel("99999999.99").is_ok());
    }

    #[test]
    fn currencies_go_there_and_back() {
        for code in ["GEL", "USD", "EUR", "GBP"] {
            assert_eq!(code.parse::<Currency>().unwrap().to_string(), code);
        }
        assert!("gel".parse::<Currency>().is_err());
    }
}
