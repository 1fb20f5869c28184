//! Moments at a distance from another one, as far as time goes: what lies beyond is the first or the last there is.

use jiff::{Timestamp, TimestampArithmetic};

/// The moment so long after another.
pub fn after(moment: Timestamp, time: impl Into<TimestampArithmetic>) -> Timestamp {
    moment.checked_add(time).unwrap_or(Timestamp::MAX)
}

/// The moment so long before another.
pub fn before(moment: Timestamp, time: impl Into<TimestampArithmetic>) -> Timestamp {
    moment.checked_sub(time).unwrap_or(Timestamp::MIN)
}
