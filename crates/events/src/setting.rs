//! Comparison and display of settings.

use serde_json::{Number, Value};

/// Significant digits of a setting; further digits are rounding errors of double precision.
const DIGITS: usize = 12;

/// Maximum number of settings of a run, of tables around one, and of characters of a name.
const MOST: usize = 10_000;
const DEEPEST: usize = 8;
const LONGEST_NAME: usize = 1000;

/// Settings that only determine where a run is stored.
const WHEREABOUTS: [&str; 2] = ["name", "runs_dir"];

/// Returns whether runs with different values of a setting are different runs. Every run has its
/// own name, and its location does not change it. Settings are given by path, such as
/// `optimizer.rate`.
pub fn tells_runs_apart(setting: &str) -> bool {
    !WHEREABOUTS.contains(&setting)
}

/// Returns a setting without floating-point rounding errors: 0.01, not 0.010000000000000002.
/// Numbers in lists and tables are rounded too; integers, strings and all other values are
/// unchanged.
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

/// Returns all settings with their paths, such as `schedule.kind` for one in a table. Lists, empty
/// tables and tables inside too many others are values. Settings beyond a maximum number are left
/// out.
pub fn flat_settings(config: &Value) -> Vec<(String, &Value)> {
    let mut flat = Vec::new();
    add_settings(config, &mut String::new(), 0, &mut flat);
    flat
}

fn add_settings<'a>(
    table: &'a Value,
    path: &mut String,
    depth: usize,
    flat: &mut Vec<(String, &'a Value)>,
) {
    for (name, value) in table.as_object().into_iter().flatten() {
        let before = path.len();
        if !path.is_empty() {
            path.push('.');
        }
        path.extend(name.chars().take(LONGEST_NAME));
        let is_table = value.as_object().is_some_and(|table| !table.is_empty());
        if is_table && depth + 1 < DEEPEST {
            add_settings(value, path, depth + 1, flat);
        } else if flat.len() < MOST {
            flat.push((path.clone(), value));
        }
        path.truncate(before);
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
    fn nested_settings_have_dotted_paths() {
        let config = json!({
            "data": "sample", "schedule": {"kind": "cosine", "at": [1, 2]}, "empty": {}, "name": null
        });
        let paths = |config: &Value| -> Vec<String> {
            let flat = flat_settings(config).into_iter();
            flat.map(|(path, _)| path).collect()
        };
        let expected = ["data", "empty", "name", "schedule.at", "schedule.kind"];
        assert_eq!(paths(&config), expected);
        assert_eq!(flat_settings(&config)[3].1, &json!([1, 2]));
        assert_eq!(paths(&json!(3)), [""; 0]);
        let mut deep = json!(1);
        for _ in 0..50 {
            deep = json!({ "a": deep });
        }
        assert_eq!(paths(&deep), ["a.a.a.a.a.a.a.a"]);
        let many: serde_json::Map<_, _> =
            (0..MOST * 2).map(|n| (n.to_string(), json!(n))).collect();
        assert_eq!(flat_settings(&Value::Object(many)).len(), MOST);
    }

    #[test]
    fn names_and_folders_do_not_distinguish_runs() {
        assert!(!tells_runs_apart("name"));
        assert!(!tells_runs_apart("runs_dir"));
        assert!(tells_runs_apart("seed"));
        assert!(tells_runs_apart("optimizer.name"));
    }
}
