//! Parses step lines exactly as the writer formats them, many times faster than general JSON.

use std::str;

use crate::steps::Steps;

/// Prefix of a step line.
pub(crate) const STEP: &[u8] = b"{\"event\":\"step\",";

/// The figures of a line, in memory that is reused for all lines.
#[derive(Debug, Default)]
pub(crate) struct Row {
    step: u64,
    seconds: f64,
    /// Only the first `used` are valid.
    figures: Vec<(String, f32)>,
    used: usize,
}

impl Row {
    /// Reads a line, and returns whether it has the writer's format. Other lines may still be valid
    /// JSON, or a step.
    pub(crate) fn read(&mut self, line: &[u8]) -> bool {
        self.try_read(line).is_some()
    }

    fn try_read(&mut self, line: &[u8]) -> Option<()> {
        self.used = 0;
        let mut step = None;
        let mut seconds = None;
        let mut rest = Rest(line.strip_prefix(STEP)?);
        loop {
            let name = rest.name()?;
            match name {
                b"epoch" => {
                    rest.whole()?;
                }
                b"step" => step = Some(rest.whole()?),
                b"seconds" => seconds = Some(rest.number()?),
                b"event" => return None,
                _ => {
                    let figure = if rest.skip(b"null").is_some() {
                        f32::NAN
                    } else {
                        rest.number()? as f32
                    };
                    self.set(name, figure)?;
                }
            }
            if rest.skip(b",").is_none() {
                break;
            }
        }
        rest.skip(b"}")?;
        if !rest.0.is_empty() {
            return None;
        }
        self.step = step?;
        self.seconds = seconds?;
        Some(())
    }

    /// Adds the step that was read last.
    pub(crate) fn push(&self, steps: &mut Steps) {
        steps.begin(self.step, self.seconds);
        for (place, (name, figure)) in self.figures[..self.used].iter().enumerate() {
            steps.set_near(place, name, *figure);
        }
        steps.end();
    }

    fn set(&mut self, name: &[u8], figure: f32) -> Option<()> {
        match self.figures.get_mut(self.used) {
            // Lines usually have the same names in the same order.
            Some((before, value)) if before.as_bytes() == name => *value = figure,
            Some(before) => *before = (str::from_utf8(name).ok()?.to_owned(), figure),
            None => {
                let name = str::from_utf8(name).ok()?.to_owned();
                self.figures.push((name, figure));
            }
        }
        self.used += 1;
        Some(())
    }
}

/// The unread rest of a line.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn skip(&mut self, expected: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    /// Reads a name without escapes, and the colon after it.
    fn name(&mut self) -> Option<&'a [u8]> {
        self.skip(b"\"")?;
        let length = self.0.iter().position(|&byte| byte == b'"')?;
        let (name, rest) = self.0.split_at(length);
        if name.iter().any(|&byte| byte == b'\\' || byte < b' ') {
            return None;
        }
        self.0 = rest;
        self.skip(b"\":")?;
        Some(name)
    }

    /// Reads digits and appends them to the number `before`.
    fn digits(&mut self, before: u64) -> Digits {
        let mut digits = Digits {
            number: before,
            count: 0,
        };
        while let [digit @ b'0'..=b'9', rest @ ..] = self.0 {
            // If this overflows, there are too many digits for the number to be used.
            let number = digits.number.wrapping_mul(10);
            digits.number = number.wrapping_add(u64::from(digit - b'0'));
            digits.count += 1;
            self.0 = rest;
        }
        digits
    }

    /// Reads a number without fraction and exponent.
    fn whole(&mut self) -> Option<u64> {
        let digits = self.digits(0);
        (1..MOST_DIGITS)
            .contains(&digits.count)
            .then_some(digits.number)
    }

    fn number(&mut self) -> Option<f64> {
        let begin = self.0;
        let is_negative = self.skip(b"-").is_some();
        let whole = self.digits(0);
        let starts_well = whole.count == 1 || begin[usize::from(is_negative)..].first()? != &b'0';
        if whole.count == 0 || !starts_well {
            return None;
        }
        let fraction = match self.skip(b".") {
            Some(()) => Some(self.digits(whole.number)).filter(|digits| digits.count > 0)?,
            None => Digits {
                number: whole.number,
                count: 0,
            },
        };
        let has_exponent = matches!(self.0, [b'e' | b'E', ..]);
        if has_exponent {
            self.0 = &self.0[1..];
            if self.skip(b"-").is_none() {
                // Either sign is allowed.
                let _ = self.skip(b"+");
            }
            if self.digits(0).count == 0 {
                return None;
            }
        }
        let scale = POWERS.get(fraction.count);
        let is_short = whole.count + fraction.count < MOST_DIGITS && fraction.number <= EXACT;
        if let (Some(scale), true, false) = (scale, is_short, has_exponent) {
            // Both are exact, so their quotient is the nearest representable number.
            let number = fraction.number as f64 / scale;
            return Some(if is_negative { -number } else { number });
        }
        let text = &begin[..begin.len() - self.0.len()];
        str::from_utf8(text).ok()?.parse().ok()
    }
}

struct Digits {
    number: u64,
    count: usize,
}

/// A number with this many digits may not fit into 64 bits.
const MOST_DIGITS: usize = 20;

/// All integers up to this one are exact as `f64`.
const EXACT: u64 = 1 << 53;

/// The powers of ten that are exact as `f64`.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::{Event, Step};
    use crate::metrics::Metrics;

    fn number(text: &str) -> Option<f64> {
        let mut rest = Rest(text.as_bytes());
        rest.number().filter(|_| rest.0.is_empty())
    }

    #[test]
    fn step_lines_of_writer_are_parsed() {
        let event = Event::Step(Step {
            seconds: 0.375,
            epoch: 1,
            step: 3,
            metrics: Metrics::from_iter([("loss", 0.25), ("accuracy", f64::NAN)]),
        });
        let line = serde_json::to_string(&event).unwrap();
        let mut row = Row::default();
        // Values left from the previous line are ignored.
        assert!(row.read(br#"{"event":"step","step":9,"seconds":9,"a":1,"b":2,"c":3}"#));
        assert!(row.read(line.as_bytes()));
        let mut steps = Steps::default();
        row.push(&mut steps);
        assert_eq!((steps.steps(), steps.seconds()), (&[3][..], &[0.375][..]));
        assert_eq!(steps.names().collect::<Vec<_>>(), ["accuracy", "loss"]);
        assert_eq!(steps.figures("loss"), Some(&[0.25][..]));
        assert!(steps.figures("accuracy").unwrap()[0].is_nan());
    }

    #[test]
    fn other_lines_are_not_parsed_as_steps() {
        for line in [
            r#"{"step":3,"epoch":1,"event":"step","seconds":0.375}"#,
            r#"{"event":"step","step":3,"seconds":0.375,"lo\u0073s":0.25}"#,
            r#"{"event":"step","step":3,"seconds":0.375,"loss": 0.25}"#,
            r#"{"event":"step","step":3,"seconds":0.375,"loss":"0.25"}"#,
            r#"{"event":"step","step":3,"seconds":0.375,"event":"epoch"}"#,
            r#"{"event":"step","step":3,"seconds":0.375,"event":1}"#,
            r#"{"event":"step","step":3,"seconds":0.375,}"#,
            r#"{"event":"step","step":3,"seconds":0.375}}"#,
            r#"{"event":"step","step":3,"seconds":0.375"#,
            r#"{"event":"step","step":3.5,"seconds":0.375}"#,
            r#"{"event":"step","step":-3,"seconds":0.375}"#,
            r#"{"event":"step","step":99999999999999999999,"seconds":0.375}"#,
            r#"{"event":"step","step":3,"seconds":null}"#,
            r#"{"event":"step","step":3}"#,
            r#"{"event":"step","seconds":3}"#,
            r#"{"event":"step","#,
            r#"{"event":"step",}"#,
        ] {
            assert!(!Row::default().read(line.as_bytes()), "{line}");
        }
        let no_text = b"{\"event\":\"step\",\"step\":3,\"seconds\":1,\"\xff\":1}";
        assert!(!Row::default().read(no_text));
    }

    #[test]
    fn only_json_numbers_are_parsed() {
        for text in [
            "0",
            "-0",
            "10",
            "0.5",
            "-0.001",
            "1e5",
            "1E-5",
            "1.5e+300",
            "4.9e-324",
            "0.1000",
            "9007199254740993",
            "18446744073709551616",
            "123456789.123456789123456789",
        ] {
            let nearest: f64 = text.parse().unwrap();
            assert!(serde_json::from_str::<f64>(text).is_ok(), "{text}");
            assert_eq!(
                number(text).map(f64::to_bits),
                Some(nearest.to_bits()),
                "{text}"
            );
        }
        for text in [
            "", "-", "+1", ".5", "1.", "01", "-01", "1e", "1e+", "1e5.5", "inf", "nan", "NaN",
            "0x1", "1_0", "--1", "1.5.5", "- 1",
        ] {
            assert_eq!(number(text), None, "{text}");
            assert!(serde_json::from_str::<f64>(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn numbers_round_trip_exactly(bits: u64, digits in 0..9_usize) {
            let written = f64::from_bits(bits);
            if written.is_finite() {
                prop_assert_eq!(number(&serde_json::to_string(&written)?), Some(written));
            }
            let short = format!("{:.digits$}", (bits % 1_000_000) as f64 / 999.0);
            prop_assert_eq!(number(&short), Some(short.parse()?));
        }
    }
}
