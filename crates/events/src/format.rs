//! Formats numbers for people, for the screen, reports and tables.

use crate::metrics::is_share;

/// Formats a figure by its name: a fraction as 91.23 %, others as [`number`].
pub fn figure(metric: &str, value: f64) -> String {
    match is_share(metric) {
        true => percent(value, 2),
        false => number(value),
    }
}

/// Formats a fraction, 0 to 1, as 91.23 %, or `–` if it is not finite.
pub fn percent(share: f64, decimals: usize) -> String {
    match share.is_finite() && share.abs() < 1e6 {
        true => format!("{:.decimals$} %", 100.0 * share),
        false => "–".to_owned(),
    }
}

/// Formats any number with about four digits: 0.4120, 12.50, 5.00e-5.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "–".to_owned()
    } else if size == 0.0 {
        "0".to_owned()
    } else if !(1e-3..1e6).contains(&size) {
        format!("{value:.2e}")
    } else {
        let decimals = (3.0 - size.log10().floor()).clamp(0.0, 6.0) as usize;
        format!("{value:.decimals$}")
    }
}

/// Cuts a text to a maximum number of characters, with an ellipsis if its end is cut off.
pub fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Formats a count as 25,557,032.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Formats a time in seconds as 9.3 s, 4 min 05 s, 2 h 03 min or 3 d 04 h.
pub fn duration(seconds: f64) -> String {
    const YEAR: f64 = 365.0 * 86400.0;
    if !seconds.is_finite() || seconds < 0.0 {
        return "–".to_owned();
    }
    if seconds >= 100.0 * YEAR {
        return "centuries".to_owned();
    }
    let exact = seconds;
    let whole = seconds.round() as u64;
    let (days, hours) = (whole / 86400, whole / 3600 % 24);
    let (minutes, seconds) = (whole / 60 % 60, whole % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{exact:.1} s"),
        (0, 0, _) => format!("{minutes} min {seconds:02} s"),
        (0, ..) => format!("{hours} h {minutes:02} min"),
        _ => format!("{} d {hours:02} h", count(days)),
    }
}

/// Formats a time in seconds as 99.9 s, 12.5 min or 2.8 h, for lines with little space.
pub fn short_duration(seconds: f64) -> String {
    match seconds {
        short if short < 600.0 => format!("{short:.1} s"),
        medium if medium < 36_000.0 => format!("{:.1} min", medium / 60.0),
        long => format!("{:.1} h", long / 3600.0),
    }
}

/// Formats a short time in seconds as 12.3 ms or 1.500 s.
pub fn milliseconds(seconds: f64) -> String {
    if !seconds.is_finite() {
        "–".to_owned()
    } else if seconds.abs() < 1.0 {
        format!("{:.1} ms", 1000.0 * seconds)
    } else {
        format!("{} s", number(seconds))
    }
}

/// Formats bytes as 640 kB or 1.4 GB.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    let mut size = bytes as f64 / 1e3;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1e3;
        unit += 1;
    }
    let decimals = if size < 9.95 && unit > 0 { 1 } else { 0 };
    format!("{size:.decimals$} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, shown) in [
            (0.0, "0"),
            (0.412, "0.4120"),
            (-2.5678, "-2.568"),
            (12.5, "12.50"),
            (999_999.0, "999999"),
            (1e6, "1.00e6"),
            (0.000_05, "5.00e-5"),
            (f64::MIN_POSITIVE, "2.23e-308"),
            (f64::NAN, "–"),
            (f64::INFINITY, "–"),
        ] {
            assert_eq!(number(value), shown);
        }
        assert_eq!(figure("accuracy", 0.91234), "91.23 %");
        assert_eq!(figure("accuracy", 1e300), "–");
        assert_eq!(figure("loss", 0.5), "0.5000");
        assert_eq!(count(25_557_032), "25,557,032");
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn durations_and_sizes_use_readable_units() {
        for (seconds, shown) in [
            (0.2, "0.2 s"),
            (9.26, "9.3 s"),
            (59.7, "1 min 00 s"),
            (75.0, "1 min 15 s"),
            (3900.0, "1 h 05 min"),
            (200_000.0, "2 d 07 h"),
            (f64::MAX, "centuries"),
            (-1.0, "–"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(duration(seconds), shown);
        }
        assert_eq!(short_duration(599.0), "599.0 s");
        assert_eq!(short_duration(3600.0), "60.0 min");
        assert_eq!(short_duration(36_000.0), "10.0 h");
        assert_eq!(milliseconds(0.0123), "12.3 ms");
        assert_eq!(milliseconds(1.5), "1.500 s");
        for (size, shown) in [
            (0, "0 kB"),
            (640_000, "640 kB"),
            (1_400_000_000, "1.4 GB"),
            (64_000_000_000, "64 GB"),
            (u64::MAX, "18 EB"),
        ] {
            assert_eq!(bytes(size), shown);
        }
    }
}
