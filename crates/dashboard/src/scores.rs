//! Selects the scores of a run to show.

use events::{Epoch, History, Metrics, Mistake};

use crate::state::Choice;

/// The scored images and their metrics.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scores<'a> {
    pub choice: Choice,
    /// Weights scored after an epoch: the trained ones or their average.
    scored: &'static str,
    pub metrics: &'a Metrics,
    pub confusion: &'a [(usize, usize, u64)],
    pub mistakes: &'a [Mistake],
}

impl Scores<'_> {
    pub(crate) fn name(&self) -> String {
        match self.choice {
            Choice::Epoch(epoch) => format!("{} after epoch {epoch}", self.scored),
            _ => "test".to_owned(),
        }
    }

    /// Returns the name of the set of images.
    pub(crate) fn set(&self) -> &'static str {
        match self.choice {
            Choice::Test => "test set",
            _ if self.scored == "test" => "test set",
            _ => "validation set",
        }
    }

    /// Returns the number of mistakes, including those whose image is not kept.
    pub(crate) fn mistakes_made(&self) -> u64 {
        let wrong = self.confusion.iter();
        let wrong = wrong.filter(|(class, likeliest, _)| class != likeliest);
        let counted = wrong.fold(0_u64, |sum, (.., count)| sum.saturating_add(*count));
        counted.max(self.mistakes.len() as u64)
    }
}

/// Returns which weights the scores of an epoch come from: the average, if there is one. Curves
/// have the same names.
pub(crate) fn scored(history: &History, epoch: &Epoch) -> &'static str {
    history.name_of(epoch.scores().0)
}

/// The part of scores that a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScoreDetail {
    Confusion,
    Mistakes,
}

/// Returns all scores with the given part, oldest first.
fn all(history: &History, part: ScoreDetail) -> Vec<Scores<'_>> {
    let epochs = history.epochs.iter().map(|epoch| Scores {
        choice: Choice::Epoch(epoch.epoch),
        scored: scored(history, epoch),
        metrics: epoch.scores().1,
        confusion: &epoch.confusion,
        mistakes: &epoch.mistakes,
    });
    let test = history.tested.iter().map(|tested| Scores {
        choice: Choice::Test,
        scored: "test",
        metrics: &tested.metrics,
        confusion: &tested.confusion,
        mistakes: &tested.mistakes,
    });
    let has_part = |scores: &Scores| match part {
        ScoreDetail::Confusion => !scores.confusion.is_empty(),
        ScoreDetail::Mistakes => !scores.mistakes.is_empty(),
    };
    epochs.chain(test).filter(has_part).collect()
}

/// Returns the chosen scores, or the newest if the chosen ones do not exist.
pub(crate) fn chosen(history: &History, part: ScoreDetail, choice: Choice) -> Option<Scores<'_>> {
    let all = all(history, part);
    let place = place(&all, choice)?;
    all.get(place).copied()
}

fn place(all: &[Scores], choice: Choice) -> Option<usize> {
    let chosen = all.iter().position(|scores| scores.choice == choice);
    chosen.or(all.len().checked_sub(1))
}

/// Returns the choice that is `by` positions after another, or before it if negative.
pub(crate) fn moved(history: &History, part: ScoreDetail, choice: Choice, by: isize) -> Choice {
    let all = all(history, part);
    let place = place(&all, choice).map(|place| place.saturating_add_signed(by));
    match place {
        // The newest stays the newest when more follow.
        Some(place) if place + 1 < all.len() => all[place].choice,
        _ => Choice::Newest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Epoch, Event};

    #[test]
    fn epoch_selection_moves_by_one() {
        let mut history = History::default();
        assert!(chosen(&history, ScoreDetail::Confusion, Choice::Newest).is_none());
        for epoch in 1..=4 {
            history.push(Event::Epoch(Box::new(Epoch {
                epoch,
                confusion: if epoch == 2 { vec![] } else { vec![(0, 0, 1)] },
                ..Epoch::default()
            })));
        }
        let newest = chosen(&history, ScoreDetail::Confusion, Choice::Newest).unwrap();
        assert_eq!(newest.choice, Choice::Epoch(4));
        let back = |choice| moved(&history, ScoreDetail::Confusion, choice, -1);
        assert_eq!(back(Choice::Newest), Choice::Epoch(3));
        assert_eq!(back(Choice::Epoch(3)), Choice::Epoch(1));
        assert_eq!(back(Choice::Epoch(1)), Choice::Epoch(1));
        let on = |choice| moved(&history, ScoreDetail::Confusion, choice, 1);
        assert_eq!(on(Choice::Epoch(1)), Choice::Epoch(3));
        assert_eq!(on(Choice::Epoch(3)), Choice::Newest);
    }
}
