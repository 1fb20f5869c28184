use jiff::SignedDuration;

/// Parses a positive duration with units up to days; a day always has 24 hours.
pub(super) fn duration(text: &str) -> Result<SignedDuration, String> {
    let in_days = text.strip_suffix('d').and_then(|days| days.trim().parse::<i64>().ok()?.checked_mul(24));
    let parsed = in_days.and_then(SignedDuration::try_from_hours).or_else(|| text.parse().ok());
    parsed.filter(SignedDuration::is_positive).ok_or_else(|| "expected a duration such as 90d, 12h or 30m".to_owned())
}
