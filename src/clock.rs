//! Time, randomness and new identifiers: the one place that reads the clock and draws random bytes.
//!
//! All other code takes them as arguments, so that tests can set the clock. The exceptions are calls to a library's own key
//! generation, which draws from the same source.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{Timestamp, TimestampArithmetic};
use uuid::Uuid;

/// The system's clock, or one that tests set by hand.
#[derive(Clone, Default)]
pub enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// Microseconds since 1970, set by hand.
    Hand(Arc<AtomicI64>),
}

impl Clock {
    /// The time, in whole microseconds.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn now(&self) -> Timestamp {
        let microseconds = match self {
            Clock::System => Timestamp::now().as_microsecond(),
            Clock::Hand(hand) => hand.load(Ordering::SeqCst),
        };
        Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::MAX)
    }

    /// A new identifier that sorts by time (RFC 9562, version 7).
    pub fn new_id(&self) -> Uuid {
        let milliseconds = self.now().as_millisecond().unsigned_abs();
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &random()).into_uuid()
    }
}

/// Unpredictable random bytes.
#[expect(clippy::disallowed_methods, reason = "the one place that draws randomness")]
pub fn random<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    aws_lc_rs::rand::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A time plus a duration, at most [`Timestamp::MAX`].
pub fn after(moment: Timestamp, time: impl Into<TimestampArithmetic>) -> Timestamp {
    moment.checked_add(time).unwrap_or(Timestamp::MAX)
}

/// A time minus a duration, at least [`Timestamp::MIN`].
pub fn before(moment: Timestamp, time: impl Into<TimestampArithmetic>) -> Timestamp {
    moment.checked_sub(time).unwrap_or(Timestamp::MIN)
}
