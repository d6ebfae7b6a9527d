//! UIDs and sets of them.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::Serialize;

/// A message's unique identifier within one UIDVALIDITY of one folder (RFC 9051 §2.3.1.1). Never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Uid(pub u32);

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A set of UIDs as disjoint ascending ranges: what a folder still owes, what one FETCH asks for.
///
/// Its text form is an IMAP sequence set (`1:4,7`), empty for the empty set, and is what the cursor
/// keeps in the database.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct UidSet {
    // Sorted, disjoint, not adjacent, each start >= 1. Kept as u64 so that no sum overflows.
    ranges: Vec<(u64, u64)>,
}

/// Why a text is no UID set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a set of UIDs such as 1:4,7")]
pub struct UidSetError(String);

impl UidSet {
    /// The empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All UIDs from `first` to `last`; empty if there are none.
    #[must_use]
    pub fn range(first: u32, last: u32) -> Self {
        Self::normalised(vec![(u64::from(first), u64::from(last))])
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many UIDs are in it.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// How many ranges its text form has.
    #[must_use]
    pub fn range_count(&self) -> usize {
        self.ranges.len()
    }

    /// Whether `uid` is in it.
    #[must_use]
    pub fn contains(&self, uid: Uid) -> bool {
        self.position(uid).is_some()
    }

    /// The greatest UID.
    #[must_use]
    pub fn highest(&self) -> Option<Uid> {
        self.ranges.last().map(|(_, last)| narrow(*last))
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> impl DoubleEndedIterator<Item = RangeInclusive<u32>> + '_ {
        self.ranges.iter().map(|(first, last)| narrow(*first).0..=narrow(*last).0)
    }

    /// Every UID, ascending. Mind [`UidSet::len`] before walking a set that a server described.
    pub fn iter(&self) -> impl Iterator<Item = Uid> + '_ {
        self.ranges().flatten().map(Uid)
    }

    /// Adds one UID; 0 is not one and is ignored.
    pub fn insert(&mut self, uid: Uid) {
        let uid = u64::from(uid.0);
        match self.ranges.last_mut() {
            // The usual case: ascending.
            Some((_, last)) if *last + 1 == uid => *last = uid,
            Some((_, last)) if *last < uid => self.ranges.push((uid, uid)),
            _ => *self = Self::normalised(self.ranges.iter().copied().chain([(uid, uid)]).collect()),
        }
    }

    /// Takes one UID out.
    pub fn remove(&mut self, uid: Uid) {
        let Some(at) = self.position(uid) else { return };
        let (first, last) = self.ranges[at];
        let uid = u64::from(uid.0);
        let left = (first < uid).then(|| (first, uid - 1));
        let right = (uid < last).then(|| (uid + 1, last));
        self.ranges.splice(at..=at, left.into_iter().chain(right));
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::normalised(self.ranges.iter().chain(&other.ranges).copied().collect())
    }

    /// What is here and not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut ranges = Vec::with_capacity(self.ranges.len());
        let mut next_hole = 0;
        for &(first, last) in &self.ranges {
            let mut start = first;
            while let Some(&(hole, hole_end)) = other.ranges.get(next_hole).filter(|(hole, _)| *hole <= last) {
                if hole > start {
                    ranges.push((start, hole - 1));
                }
                start = start.max(hole_end + 1);
                if hole_end > last {
                    break; // It may reach into the next range as well.
                }
                next_hole += 1;
            }
            if start <= last {
                ranges.push((start, last));
            }
        }
        Self { ranges }
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.difference(&self.difference(other))
    }

    /// The `count` greatest UIDs.
    #[must_use]
    pub fn highest_n(&self, count: u64) -> Self {
        let mut left = count;
        let mut ranges = Vec::new();
        for &(first, last) in self.ranges.iter().rev() {
            let taken = left.min(last - first + 1);
            if taken == 0 {
                break;
            }
            ranges.push((last + 1 - taken, last));
            left -= taken;
        }
        ranges.reverse();
        Self { ranges }
    }

    fn position(&self, uid: Uid) -> Option<usize> {
        let uid = u64::from(uid.0);
        let at = self.ranges.partition_point(|(first, _)| *first <= uid).checked_sub(1)?;
        (self.ranges[at].1 >= uid).then_some(at)
    }

    fn normalised(mut all: Vec<(u64, u64)>) -> Self {
        all.sort_unstable();
        let mut ranges: Vec<(u64, u64)> = Vec::with_capacity(all.len());
        for (first, last) in all {
            let first = first.max(1);
            if first > last {
                continue;
            }
            match ranges.last_mut() {
                Some((_, end)) if first <= *end + 1 => *end = (*end).max(last),
                _ => ranges.push((first, last)),
            }
        }
        Self { ranges }
    }
}

/// Every bound came from a `u32`, or lies between two that did.
fn narrow(bound: u64) -> Uid {
    Uid(u32::try_from(bound).unwrap_or(u32::MAX))
}

impl FromIterator<Uid> for UidSet {
    fn from_iter<I: IntoIterator<Item = Uid>>(uids: I) -> Self {
        Self::normalised(uids.into_iter().map(|uid| (u64::from(uid.0), u64::from(uid.0))).collect())
    }
}

impl fmt::Display for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.ranges.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            if first == last { write!(f, "{first}")? } else { write!(f, "{first}:{last}")? }
        }
        Ok(())
    }
}

impl fmt::Debug for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

impl FromStr for UidSet {
    type Err = UidSetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || UidSetError(text.chars().take(40).collect());
        let number = |text: &str| text.parse::<u32>().ok().filter(|uid| *uid > 0).ok_or_else(wrong);
        let mut ranges = Vec::new();
        for part in text.split(',').filter(|_| !text.is_empty()) {
            let (a, b) = part.split_once(':').unwrap_or((part, part));
            let (a, b) = (u64::from(number(a)?), u64::from(number(b)?));
            ranges.push((a.min(b), a.max(b)));
        }
        Ok(Self::normalised(ranges))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn set(uids: &BTreeSet<u32>) -> UidSet {
        uids.iter().copied().map(Uid).collect()
    }

    fn model(set: &UidSet) -> BTreeSet<u32> {
        set.iter().map(|uid| uid.0).collect()
    }

    fn well_formed(set: &UidSet) -> bool {
        set.ranges.iter().all(|(a, b)| *a >= 1 && a <= b) && set.ranges.windows(2).all(|w| w[0].1 + 1 < w[1].0)
    }

    fn uids() -> impl Strategy<Value = BTreeSet<u32>> {
        proptest::collection::btree_set(1_u32..60, 0..30)
    }

    proptest! {
        #[test]
        fn behaves_like_a_set_of_numbers(a in uids(), b in uids(), uid in 1_u32..60, n in 0_u64..40) {
            let (x, y) = (set(&a), set(&b));
            for (got, want) in [
                (x.union(&y), a.union(&b).copied().collect::<BTreeSet<_>>()),
                (x.difference(&y), a.difference(&b).copied().collect()),
                (x.intersection(&y), a.intersection(&b).copied().collect()),
                (x.highest_n(n), a.iter().rev().take(n as usize).copied().collect()),
            ] {
                prop_assert!(well_formed(&got), "{:?}", got);
                prop_assert_eq!(model(&got), want);
            }
            prop_assert_eq!(x.contains(Uid(uid)), a.contains(&uid));
            prop_assert_eq!(x.len(), a.len() as u64);
            prop_assert_eq!(x.highest(), a.last().copied().map(Uid));

            let (mut without, mut with) = (x.clone(), x.clone());
            without.remove(Uid(uid));
            with.insert(Uid(uid));
            prop_assert!(well_formed(&without) && well_formed(&with));
            prop_assert_eq!(model(&without), a.iter().copied().filter(|u| *u != uid).collect::<BTreeSet<_>>());
            prop_assert_eq!(model(&with), a.iter().copied().chain([uid]).collect::<BTreeSet<_>>());
        }

        #[test]
        fn its_text_reads_back(a in uids()) {
            let x = set(&a);
            prop_assert_eq!(x.to_string().parse::<UidSet>().unwrap(), x);
        }
    }

    #[test]
    fn the_greatest_uid_does_not_overflow() {
        let top = UidSet::range(u32::MAX - 1, u32::MAX);
        assert_eq!(top.len(), 2);
        assert_eq!(top.union(&UidSet::range(1, u32::MAX)).len(), u64::from(u32::MAX));
        assert_eq!(UidSet::range(1, u32::MAX).difference(&top).highest(), Some(Uid(u32::MAX - 2)));
        assert!(top.difference(&UidSet::range(1, u32::MAX)).is_empty());
    }

    #[test]
    fn texts_that_are_no_sets() {
        for text in ["0", "1:", "a", "1,,2", "*", "1:*", "-1", "4294967296"] {
            assert!(text.parse::<UidSet>().is_err(), "{text}");
        }
        assert_eq!("7:4,1".parse::<UidSet>().unwrap().to_string(), "1,4:7", "order is free in RFC 9051");
        assert!("".parse::<UidSet>().unwrap().is_empty());
    }
}
