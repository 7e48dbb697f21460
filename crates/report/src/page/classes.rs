//! Confusion matrix, and metrics of each class.

use events::History;
use maud::{Markup, html};

use super::format::{count, percent, short};
use super::outcome::Outcome;
use super::summary;
use events::{ClassScores, Confusion};

/// Up to this number of classes, the matrix comes first; with more, it is left out.
const FEW: usize = 24;
const MOST: usize = 200;
/// Maximum number of class pairs that are shown.
pub(super) const PAIRS: usize = 12;
/// Maximum rows of the class table.
const MOST_ROWS: usize = 1000;

/// Returns the style class that makes long tables scroll.
fn tall(confusion: &Confusion) -> &'static str {
    match confusion.classes.len() > FEW {
        true => " tall",
        false => "",
    }
}

/// Returns the matrix and the pairs.
pub(super) fn confusion(history: &History, outcome: &Outcome, confusion: &Confusion) -> Markup {
    let classes = confusion.classes.len();
    html! {
        (summary::images(outcome))
        @if classes <= MOST {
            p class="faint" { "Rows are true classes, columns are predicted classes." }
        }
        div class="beside" {
            @if classes <= FEW {
                (matrix(history, confusion))
                (pairs(history, confusion))
            } @else if classes <= MOST {
                (pairs(history, confusion))
                details {
                    summary { "All " (classes) " classes" }
                    (matrix(history, confusion))
                }
            } @else {
                (pairs(history, confusion))
            }
        }
    }
}

fn matrix(history: &History, confusion: &Confusion) -> Markup {
    let classes = &confusion.classes;
    let names: Vec<String> = classes
        .iter()
        .map(|&class| short(&history.class_name(class)))
        .collect();
    html! {
        div class={ "scroll" (tall(confusion)) } tabindex="0" role="region" aria-label="confusion matrix" {
            table class="matrix" {
                thead {
                    tr {
                        td {}
                        @for name in &names { th scope="col" { span { (name) } } }
                    }
                }
                tbody {
                    @for (row, name) in names.iter().enumerate() {
                        tr {
                            th scope="row" { (name) }
                            @for column in 0..names.len() { (cell(confusion, row, column)) }
                        }
                    }
                }
            }
        }
    }
}

fn cell(confusion: &Confusion, row: usize, column: usize) -> Markup {
    let images = confusion.count(row, column);
    if images == 0 {
        return html! { td {} };
    }
    let share = confusion.share(row, column);
    let kind = if row == column { "right" } else { "wrong" };
    html! { td class={ (kind) (shade(share)) } { (count(images)) } }
}

/// Returns how dark a fraction of a class's images is drawn, 1 to 10. Small fractions differ from
/// none.
fn shade(share: f64) -> u8 {
    (10.0 * share.clamp(0.0, 1.0).sqrt()).ceil().max(1.0) as u8
}

fn pairs(history: &History, confusion: &Confusion) -> Markup {
    let pairs = confusion.worst(PAIRS);
    let name = |row: usize| short(&history.class_name(confusion.classes[row]));
    html! {
        @if pairs.is_empty() {
            p { "Every image was classified correctly." }
        } @else {
            div class="scroll" {
                table {
                    caption { "Most frequent confusions" }
                    thead {
                        tr {
                            th scope="col" { "true class" }
                            th scope="col" class="text" { "predicted class" }
                            th scope="col" { "images" }
                            th scope="col" { "share of the class" }
                        }
                    }
                    tbody {
                        @for (row, column, images) in pairs {
                            tr {
                                th scope="row" { (name(row)) }
                                td class="text" { (name(column)) }
                                td { (count(images)) }
                                td { (percent(confusion.share(row, column))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Returns a table of precision, recall and F1 of every class.
pub(super) fn table(history: &History, confusion: &Confusion) -> Markup {
    let classes = &confusion.classes;
    html! {
        div class={ "scroll" (tall(confusion)) } tabindex="0" role="region" aria-label="metrics of each class" {
            table class="classes" data-sortable {
                thead {
                    tr {
                        th scope="col" { "class" }
                        th scope="col" { "precision" }
                        th scope="col" { "recall" }
                        th scope="col" { "F1" }
                        th class="wide" {}
                        th scope="col" { "images" }
                    }
                }
                tbody {
                    @for (row, &class) in classes.iter().enumerate().take(MOST_ROWS) {
                        (class_row(history, class, &confusion.scores(row)))
                    }
                }
            }
        }
        @if classes.len() > MOST_ROWS {
            p class="faint" { (count((classes.len() - MOST_ROWS) as u64)) " more classes are not shown." }
        }
    }
}

fn class_row(history: &History, class: usize, scores: &ClassScores) -> Markup {
    let share = |share: Option<f64>| share.map_or_else(|| "undefined".to_owned(), percent);
    html! {
        tr {
            th scope="row" { (short(&history.class_name(class))) }
            td { (share(scores.precision)) }
            td { (share(scores.recall)) }
            td { (share(scores.f1)) }
            td class="wide" { (bar(scores.f1.unwrap_or(0.0))) }
            td { (count(scores.images)) }
        }
    }
}

/// Returns a fraction as a bar, for sighted readers.
pub(super) fn bar(share: f64) -> Markup {
    let width = format!("{:.1}", 100.0 * share.clamp(0.0, 1.0));
    html! {
        svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" {
            rect class="ground" width="100" height="10" {}
            rect class="m0" width=(width) height="10" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shades_distinguish_none_few_and_many() {
        assert_eq!(
            [1e-9, 0.01, 0.25, 0.9, 1.0, 7.0].map(shade),
            [1, 1, 5, 10, 10, 10]
        );
    }

    #[test]
    fn matrix_of_many_classes_is_limited() {
        let history = History::default();
        let outcome = |confusion: &Confusion| {
            let outcome = Outcome {
                is_test: true,
                scored: "test",
                epoch: 1,
                confusion: &[],
                mistakes: &[],
            };
            super::confusion(&history, &outcome, confusion).into_string()
        };
        let counts = |classes: usize| -> Vec<(usize, usize, u64)> {
            (0..classes)
                .map(|class| (class, (class + 1) % classes, 3))
                .collect()
        };
        let few = outcome(&Confusion::new(&counts(10), 10));
        assert_eq!(few.matches("class=\"wrong10\"").count(), 10);
        assert!(!few.contains("<details"));
        let many = outcome(&Confusion::new(&counts(100), 100));
        assert!(many.contains("<details") && many.contains("All 100 classes"));
        let absurd = outcome(&Confusion::new(&counts(5000), 5000));
        assert!(!absurd.contains("matrix") && absurd.len() < 5000);
    }
}
