//! Numbers as the page and the table of runs both show them.

/// Such as 91.65 %, of a share.
pub(crate) fn percent(share: f64) -> String {
    match share.is_finite() {
        true => format!("{:.2} %", 100.0 * share),
        false => "not a number".to_owned(),
    }
}

/// Such as 9.3 s, 4 min 05 s, 2 h 03 min and 3 d 04 h.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "unknown".to_owned();
    }
    let whole = seconds.abs().round() as u64;
    let sign = if seconds < 0.0 { "-" } else { "" };
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3_600 => format!("{sign}{} min {:02} s", whole / 60, whole % 60),
        3_600..86_400 => format!("{sign}{} h {:02} min", whole / 3_600, whole / 60 % 60),
        _ => format!("{sign}{} d {:02} h", whole / 86_400, whole / 3_600 % 24),
    }
}

/// With four decimals; very large and very small ones with a power of ten.
pub(crate) fn number(number: f64) -> String {
    match number.abs() {
        _ if !number.is_finite() => "not a number".to_owned(),
        size if size != 0.0 && !(1e-3..1e6).contains(&size) => format!("{number:.3e}"),
        _ => format!("{number:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(percent(0.91654), "91.65 %");
        assert_eq!(percent(f64::NAN), "not a number");
        assert_eq!(
            [9.26, 59.6, 245.0, 7380.0, 273_600.0, -70.0].map(duration),
            [
                "9.3 s",
                "1 min 00 s",
                "4 min 05 s",
                "2 h 03 min",
                "3 d 04 h",
                "-1 min 10 s"
            ]
        );
        assert_eq!(duration(f64::INFINITY), "unknown");
        assert_eq!(
            [0.25, 0.0, 1e-5, -3e8].map(number),
            ["0.2500", "0.0000", "1.000e-5", "-3.000e8"]
        );
    }
}
