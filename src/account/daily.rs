//! How much an account may store in a day.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// A day: 24 hours from the first change that counts.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What an account stored in its present day. It is a part of the account, so that it changes in the same write as what it
/// counts, and of two parallel changes only one can use the last room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DailyUsage {
    /// When the day began; `None` before the first change that counts.
    pub began_at: Option<Timestamp>,
    /// The bytes of its pictures, as they are stored.
    pub picture_bytes: i64,
    /// The bytes of its history, and of all else that is kept of its changes.
    pub history_bytes: i64,
}

/// The most that an account may store in a day; 0 means no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DailyLimits {
    /// Bytes of pictures.
    pub picture_bytes: i64,
    /// Bytes of history, and of all else that is kept of changes.
    pub history_bytes: i64,
}

/// The account has stored as much as it may in a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the account has stored as much as it may in 24 hours; try again in {wait:?}")]
pub struct DayUsedUp {
    /// The time until the day ends.
    pub wait: Duration,
}

impl DailyUsage {
    /// Returns the usage after a change that stores this much. Fails when a limit would be exceeded; the first change of a day
    /// never exceeds one, so that a change that fails is possible after the wait.
    pub fn after(
        self,
        picture_bytes: usize,
        history_bytes: usize,
        limits: &DailyLimits,
        now: Timestamp,
    ) -> Result<DailyUsage, DayUsedUp> {
        let day = self.of_day(now);
        let began_at = day.began_at.unwrap_or(now);
        let add = |used: i64, more: usize, limit: i64| {
            let sum = used.saturating_add(i64::try_from(more).unwrap_or(i64::MAX));
            let is_allowed = more == 0 || used == 0 || limit == 0 || sum <= limit;
            is_allowed.then_some(sum).ok_or_else(|| {
                let wait = DAY - now.duration_since(began_at);
                DayUsedUp { wait: wait.try_into().unwrap_or_default() }
            })
        };
        Ok(DailyUsage {
            began_at: Some(began_at),
            picture_bytes: add(day.picture_bytes, picture_bytes, limits.picture_bytes)?,
            history_bytes: add(day.history_bytes, history_bytes, limits.history_bytes)?,
        })
    }

    /// Returns the usage of the day at a time: nothing once a day has passed. A beginning in the future counts up to a day,
    /// since clocks of several instances differ; one further away is an error of a clock.
    fn of_day(self, now: Timestamp) -> DailyUsage {
        let is_present = |began_at: Timestamp| now.duration_since(began_at).abs() < DAY;
        if self.began_at.is_some_and(is_present) { self } else { DailyUsage::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: DailyLimits = DailyLimits { picture_bytes: 100, history_bytes: 1000 };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn wait(after: Result<DailyUsage, DayUsedUp>) -> u64 {
        after.unwrap_err().wait.as_secs()
    }

    #[test]
    fn a_limit_is_reached_to_the_byte_and_each_counts_alone() {
        let usage = DailyUsage::default().after(60, 10, &LIMITS, at(0)).unwrap();
        let full = usage.after(40, 10, &LIMITS, at(1)).unwrap();
        assert_eq!((full.picture_bytes, full.history_bytes), (100, 20));
        assert!(usage.after(41, 10, &LIMITS, at(1)).is_err());
        assert!(full.after(1, 10, &LIMITS, at(1)).is_err());
        assert!(full.after(0, 980, &LIMITS, at(1)).is_ok());
        assert!(full.after(0, 981, &LIMITS, at(1)).is_err());
    }

    #[test]
    fn a_refused_change_is_possible_exactly_after_the_wait() {
        let full = DailyUsage::default().after(100, 1, &LIMITS, at(1000)).unwrap();
        let refused = wait(full.after(100, 1, &LIMITS, at(5000)));
        assert_eq!(refused, 86_400 - 4000);
        assert!(full.after(100, 1, &LIMITS, at(5000 + 82_400 - 1)).is_err());
        let next = full.after(100, 1, &LIMITS, at(5000 + 82_400)).unwrap();
        assert_eq!(next.began_at, Some(at(87_400)));
    }

    #[test]
    fn the_first_change_of_a_day_is_never_too_large() {
        let usage = DailyUsage::default().after(1000, 5000, &LIMITS, at(0)).unwrap();
        assert!(usage.after(1, 1, &LIMITS, at(1)).is_err());
        assert!(usage.after(1, 1, &LIMITS, at(86_400)).is_ok());
    }

    #[test]
    fn zero_is_no_limit() {
        let none = DailyLimits { picture_bytes: 0, history_bytes: 0 };
        let usage = DailyUsage::default().after(usize::MAX, 1, &none, at(0)).unwrap();
        assert!(usage.after(usize::MAX, usize::MAX, &none, at(1)).is_ok());
    }

    #[test]
    fn a_beginning_far_in_the_future_does_not_block_the_account() {
        let ahead = DailyUsage::default().after(100, 1, &LIMITS, at(10_000_000)).unwrap();
        assert_eq!(wait(ahead.after(1, 1, &LIMITS, at(10_000_000 - 10))), 86_410);
        assert!(ahead.after(1, 1, &LIMITS, at(0)).is_ok());
    }
}
