//! Ranges of settings.

use super::AugmentationError;

/// Range of valid values of a setting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Range {
    least: f64,
    most: f64,
    /// Whether `least` itself is valid.
    closed: bool,
}

impl Range {
    /// Creates the range from `least` to `most`, inclusive.
    pub(crate) const fn new(least: f64, most: f64) -> Self {
        Self {
            least,
            most,
            closed: true,
        }
    }

    /// Creates the range above `least`, up to and including `most`.
    pub(crate) const fn above(least: f64, most: f64) -> Self {
        Self {
            closed: false,
            ..Self::new(least, most)
        }
    }

    /// # Errors
    /// [`AugmentationError::Setting`] if `found` is out of range or NaN.
    pub(crate) fn check(self, setting: &'static str, found: f64) -> Result<(), AugmentationError> {
        let inside = (self.least..=self.most).contains(&found);
        if inside && (self.closed || found > self.least) {
            return Ok(());
        }
        Err(AugmentationError::Setting {
            setting,
            found,
            expected: self.to_string(),
        })
    }

    /// # Errors
    /// [`AugmentationError`] if one of two bounds is out of range, or the first exceeds the second.
    pub(crate) fn check_pair(
        self,
        setting: &'static str,
        [low, high]: [f64; 2],
    ) -> Result<(), AugmentationError> {
        self.check(setting, low)?;
        self.check(setting, high)?;
        if low > high {
            return Err(AugmentationError::Bounds { setting, low, high });
        }
        Ok(())
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { least, most, .. } = self;
        match self.closed {
            true => write!(formatter, "{least} to {most}"),
            false => write!(formatter, "above {least}, at most {most}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_errors_name_bounds() {
        let range = Range::above(0.0, 1.0);
        assert!(range.check_pair("scale", [0.1, 1.0]).is_ok());
        for (pair, said) in [
            ([0.0, 1.0], "`scale` is 0, but must be above 0, at most 1"),
            ([0.5, 1.5], "`scale` is 1.5, but must be above 0, at most 1"),
            (
                [f64::NAN, 1.0],
                "`scale` is NaN, but must be above 0, at most 1",
            ),
            (
                [0.5, 0.2],
                "`scale` is 0.5 to 0.2, but must have the smaller number first",
            ),
        ] {
            assert_eq!(
                range.check_pair("scale", pair).unwrap_err().to_string(),
                said
            );
        }
        assert!(Range::new(0.0, 1.0).check("share", 0.0).is_ok());
    }
}
