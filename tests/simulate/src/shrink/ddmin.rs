//! Delta debugging (Zeller and Hildebrandt, 2002): the few of many things that something needs.

/// The fewest of `all` that `breaks` still says yes to: without any one of them it says no, if it was asked for all of
/// that. `all` itself breaks, and is not asked for.
pub fn ddmin<T: Clone>(all: &[T], mut breaks: impl FnMut(&[T]) -> bool) -> Vec<T> {
    let mut needed = all.to_vec();
    let mut parts = 2;
    while needed.len() > 1 {
        let size = needed.len().div_ceil(parts);
        let chunks: Vec<Vec<T>> = needed.chunks(size).map(<[T]>::to_vec).collect();
        if let Some(chunk) = chunks.iter().find(|chunk| chunk.len() < needed.len() && breaks(chunk)) {
            needed.clone_from(chunk);
            parts = 2;
            continue;
        }
        let without = |left_out: usize| -> Vec<T> {
            let kept = chunks.iter().enumerate().filter(|(nth, _)| *nth != left_out);
            kept.flat_map(|(_, chunk)| chunk.clone()).collect()
        };
        // With two parts the rest is the other one, which has just been asked for.
        let rests = (0..chunks.len()).filter(|_| chunks.len() > 2).map(without);
        if let Some(rest) = rests.into_iter().find(|rest| breaks(rest)) {
            needed = rest;
            parts = (parts - 1).max(2);
        } else if size == 1 {
            break;
        } else {
            parts = (parts * 2).min(needed.len());
        }
    }
    if needed.len() == 1 && breaks(&[]) { Vec::new() } else { needed }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of 0..100, and after how many questions, if it breaks with all of `culprits`.
    fn left(culprits: &[u32]) -> (Vec<u32>, usize) {
        let (all, mut asked): (Vec<u32>, _) = ((0..100).collect(), 0);
        let left = ddmin(&all, |some| {
            asked += 1;
            culprits.iter().all(|culprit| some.contains(culprit))
        });
        (left, asked)
    }

    #[test]
    fn what_is_needed_is_left_and_nothing_else() {
        for culprits in [&[][..], &[0], &[42], &[99], &[3, 4], &[0, 50, 99], &[1, 2, 3, 60, 61]] {
            let (left, asked) = left(culprits);
            assert_eq!(left, culprits);
            assert!(asked < 150, "{asked} for {culprits:?}");
        }
        assert!(super::tests::left(&[42]).1 < 20, "one is found by halving");
    }

    #[test]
    fn either_of_two_is_enough() {
        let all: Vec<u32> = (0..64).collect();
        let left = ddmin(&all, |some| some.contains(&5) || some.contains(&50));
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn who_is_not_believed_any_more_keeps_what_there_is() {
        let all: Vec<u32> = (0..16).collect();
        let mut asked = 0;
        let left = ddmin(&all, |some| {
            asked += 1;
            asked < 3 && some.contains(&3)
        });
        assert!(left.contains(&3) && left.len() < 16, "{left:?}");
        assert_eq!(ddmin(&all, |_| false), all);
    }
}
