//! What settings say.

use serde_json::{Number, Value};

/// Significant digits of a setting; what is beyond them is the error of double precision.
const DIGITS: usize = 12;

/// Settings that only say where a run is kept.
const WHEREABOUTS: [&str; 2] = ["name", "runs_dir"];

/// Whether runs with other values of a setting are other runs. Every run has a name of its own, and where it
/// lies changes nothing in it. The setting is named by the way to it, `optimizer.rate`.
pub fn tells_runs_apart(setting: &str) -> bool {
    !WHEREABOUTS.contains(&setting)
}

/// A setting without the rounding errors of what computed it: 0.01, not 0.010000000000000002. Whole numbers,
/// texts and everything else stay as they are; numbers in lists and tables are rounded too.
pub fn rounded_setting(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().unwrap_or(f64::NAN);
            let digits = DIGITS - 1;
            let rounded = format!("{float:.digits$e}").parse().ok();
            let rounded = rounded.and_then(Number::from_f64);
            rounded.map_or_else(|| value.clone(), Value::Number)
        }
        Value::Array(values) => values.iter().map(rounded_setting).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), rounded_setting(value)))
            .collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rounding_errors_are_not_shown() {
        for (value, text) in [
            (json!(0.1 * 0.1), "0.01"),
            (json!(0.1 + 0.2), "0.3"),
            (json!(3.0 * 1e-4), "0.0003"),
            (json!(1.1 * 1.1), "1.21"),
            (json!(0.0), "0.0"),
            (json!(-0.1 * 3.0), "-0.3"),
            (json!(0.999_999_9), "0.9999999"),
            (json!(1e-300), "1e-300"),
            (json!(f64::MAX), "1.79769313486e+308"),
            (json!(u64::MAX), "18446744073709551615"),
            (json!("0.30000000000000004"), "\"0.30000000000000004\""),
            (json!([0.1 + 0.2, {"a": 0.7 + 0.1}]), "[0.3,{\"a\":0.8}]"),
        ] {
            assert_eq!(rounded_setting(&value).to_string(), text);
        }
    }

    #[test]
    fn names_and_folders_tell_nothing() {
        assert!(!tells_runs_apart("name"));
        assert!(!tells_runs_apart("runs_dir"));
        assert!(tells_runs_apart("seed"));
        assert!(tells_runs_apart("optimizer.name"));
    }
}
