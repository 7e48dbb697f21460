//! Decides when to check the files and when to draw.

use std::time::{Duration, Instant};

/// Minimum time between screens.
const SHORTEST: Duration = Duration::from_millis(100);
/// Maximum time between screens if there is something new.
const LONGEST: Duration = Duration::from_secs(3);
/// Time between checks of the files.
const LOOK: Duration = Duration::from_millis(500);
/// After a screen, updates wait for this multiple of the time it took to draw, which keeps the
/// dashboard below a third of a percent of a core. If drawing takes longer than 10 ms, [`LONGEST`]
/// limits the wait. User input is drawn without this wait. Training loses more time than drawing
/// takes, because its threads wait for one another.
const REST: u32 = 300;

/// Keeps the dashboard from taking time that training needs.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Start time; the first screen is due immediately.
    start: Instant,
    last_draw: Option<Instant>,
    /// Recent time spent on checks and screens.
    cost: Duration,
    next_look: Instant,
    /// Whether updates wait to be drawn.
    news: bool,
    /// Whether the user waits for a screen.
    asked: bool,
}

impl Pace {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            start: now,
            last_draw: None,
            cost: Duration::ZERO,
            next_look: now,
            news: true,
            asked: false,
        }
    }

    /// Records that there is something new to draw.
    pub(crate) fn news(&mut self) {
        self.news = true;
    }

    /// Records that the user changed something.
    pub(crate) fn asked(&mut self) {
        self.asked = true;
    }

    /// Returns the time until something is due, unless the user does something.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        let next = match self.next_draw() {
            Some(draw) => draw.min(self.next_look),
            None => self.next_look,
        };
        next.saturating_duration_since(now)
    }

    fn next_draw(&self) -> Option<Instant> {
        let Some(last) = self.last_draw else {
            return Some(self.start);
        };
        if self.asked {
            Some(last + SHORTEST)
        } else if self.news {
            Some(last + (self.cost * REST).clamp(SHORTEST, LONGEST))
        } else {
            None
        }
    }

    pub(crate) fn is_look_due(&self, now: Instant) -> bool {
        now >= self.next_look
    }

    pub(crate) fn looked(&mut self, now: Instant, took: Duration) {
        self.next_look = now + LOOK;
        self.cost += took;
    }

    pub(crate) fn is_draw_due(&self, now: Instant) -> bool {
        self.next_draw().is_some_and(|due| now >= due)
    }

    pub(crate) fn drew(&mut self, now: Instant, took: Duration) {
        self.last_draw = Some(now);
        self.cost = took;
        self.news = false;
        self.asked = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redraw_delay_grows_with_cost_except_for_input() {
        let start = Instant::now();
        let after = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut pace = Pace::new(start);
        assert!(pace.is_look_due(start) && pace.is_draw_due(start));
        pace.looked(start, Duration::ZERO);
        assert!(
            pace.is_draw_due(start),
            "the first screen waits for nothing"
        );
        pace.drew(start, Duration::from_millis(4));
        assert!(!pace.is_draw_due(after(5000)), "nothing is new");
        assert_eq!(pace.wait(start), LOOK);
        pace.news();
        assert!(!pace.is_draw_due(after(1199)));
        assert!(pace.is_draw_due(after(1200)));
        pace.asked();
        assert!(!pace.is_draw_due(after(99)), "ten screens a second");
        assert!(pace.is_draw_due(after(100)));
        pace.drew(after(100), Duration::from_secs(1));
        pace.news();
        assert!(pace.is_draw_due(after(3100)), "even the slowest is drawn");
    }
}
