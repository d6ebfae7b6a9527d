//! Message flags.

use std::ops::BitOr;

/// The system flags of RFC 9051 §2.3.2 that EchoDesk keeps; others are ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(u8);

impl Flags {
    /// No flag set.
    pub const NONE: Self = Self(0);
    /// `\Seen`: has been read.
    pub const SEEN: Self = Self(1);
    /// `\Flagged`: starred.
    pub const FLAGGED: Self = Self(2);
    /// `\Answered`.
    pub const ANSWERED: Self = Self(4);
    /// `\Draft`.
    pub const DRAFT: Self = Self(8);

    /// Whether every flag of `other` is set here.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The flag a server names, case-insensitively; keywords and unknown flags are none.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Self {
        const NAMES: [(&[u8], Flags); 4] = [
            (b"\\Seen", Flags::SEEN),
            (b"\\Flagged", Flags::FLAGGED),
            (b"\\Answered", Flags::ANSWERED),
            (b"\\Draft", Flags::DRAFT),
        ];
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or(Self::NONE, |(_, flag)| *flag)
    }

    /// As a number, for a column.
    #[must_use]
    pub fn bits(self) -> i16 {
        i16::from(self.0)
    }

    /// From a column; unknown bits are dropped.
    #[must_use]
    pub fn from_bits(bits: i16) -> Self {
        Self(u8::try_from(bits & 0x0f).unwrap_or(0))
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_case_insensitive_and_unknown_ones_are_nothing() {
        assert_eq!(Flags::from_name(b"\\SEEN"), Flags::SEEN);
        assert_eq!(Flags::from_name(b"$Junk"), Flags::NONE);
        assert_eq!(Flags::from_name(b"\xff"), Flags::NONE);
    }

    #[test]
    fn bits_go_there_and_back() {
        let flags = Flags::SEEN | Flags::DRAFT;
        assert_eq!(Flags::from_bits(flags.bits()), flags);
        assert!(flags.contains(Flags::SEEN) && !flags.contains(Flags::FLAGGED));
        assert_eq!(Flags::from_bits(0x7ff0), Flags::NONE);
    }
}
