//! The visible part of an axis.

/// The visible part of an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Window {
    /// From the start to the last point, which moves.
    #[default]
    All,
    /// The given width up to the last point, which moves.
    Last(f64),
    /// A fixed range.
    Fixed([f64; 2]),
}

/// Minimum fraction of the whole that can be shown.
const CLOSEST: f64 = 1e-6;

impl Window {
    /// Returns the range on an axis that ends at `extent`.
    pub(crate) fn range(self, extent: f64) -> [f64; 2] {
        match self {
            Self::All => [0.0, extent],
            Self::Last(width) => [(extent - width).max(0.0), extent],
            Self::Fixed(range) => range,
        }
    }

    /// Returns the window with its width changed by a factor, keeping `about` in place.
    pub(crate) fn zoom(self, extent: f64, about: f64, factor: f64) -> Self {
        let [from, to] = self.range(extent);
        let about = about.clamp(from, to);
        let range = [
            about - (about - from) * factor,
            about + (to - about) * factor,
        ];
        Self::from_range(range, extent)
    }

    /// Returns the window moved by a fraction of its width.
    pub(crate) fn pan(self, extent: f64, share: f64) -> Self {
        let [from, to] = self.range(extent);
        let by = (share * (to - from)).clamp(-from, (extent - to).max(0.0));
        Self::from_range([from + by, to + by], extent)
    }

    /// Returns the window of a range. A range at the end keeps following it.
    fn from_range([from, to]: [f64; 2], extent: f64) -> Self {
        let from = from.max(0.0);
        let to = to.min(extent);
        let width = (to - from).max(extent * CLOSEST);
        if !width.is_finite() || width >= extent * (1.0 - CLOSEST) {
            Self::All
        } else if to >= extent - width * 1e-3 {
            Self::Last(width)
        } else {
            Self::Fixed([from, from + width])
        }
    }

    /// Returns a window of the same width at the end, or the whole axis if it is already there.
    pub(crate) fn follow(self) -> Self {
        match self {
            Self::Fixed([from, to]) => Self::Last(to - from),
            Self::All | Self::Last(_) => Self::All,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn zooming_at_the_end_follows_it() {
        let window = Window::All.zoom(100.0, 100.0, 0.5);
        assert_eq!(window, Window::Last(50.0));
        assert_eq!(window.range(120.0), [70.0, 120.0]);
        let window = window.pan(100.0, -0.5);
        assert_eq!(window, Window::Fixed([25.0, 75.0]));
        assert_eq!(window.pan(100.0, 2.0), Window::Last(50.0));
        assert_eq!(window.follow().follow(), Window::All);
        assert_eq!(window.zoom(100.0, 50.0, 4.0), Window::All);
    }

    proptest! {
        #[test]
        fn window_stays_within_axis(
            extent in prop_oneof![Just(0.0), Just(1e-300), Just(1e300), 0.1..1e9],
            moves in prop::collection::vec((0.0..1.0, 0.1..4.0, -2.0..2.0), 0..40),
        ) {
            let mut window = Window::All;
            for (about, factor, share) in moves {
                window = window.zoom(extent, about * extent, factor).pan(extent, share);
                let [from, to] = window.range(extent);
                prop_assert!(from >= 0.0 && from <= to, "{window:?}");
                prop_assert!(to <= extent * (1.0 + 1e-5), "{window:?}");
            }
        }
    }
}
