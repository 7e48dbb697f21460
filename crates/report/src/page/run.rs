//! All sections of one run.

use events::History;
use maud::{Markup, html};

use super::figure::Figures;
use super::outcome::Outcome;
use super::{NamedRun, classes, curves, machine, mistakes, settings, summary, timing};
use crate::places::RelativePaths;

/// A section of a run's report under its own heading.
struct Section {
    title: &'static str,
    /// Suffix of its anchor on the page.
    anchor: &'static str,
    content: Markup,
}

/// Returns name, state, key figures and warnings.
pub(super) fn head(run: &NamedRun) -> Markup {
    let places = RelativePaths::of(run.history);
    html! {
        p class="subtitle" { (summary::subtitle(run.history, &places)) }
        (summary::key_figures(run))
        (summary::warning_list(run, &places))
    }
}

/// Returns all other sections. `number` distinguishes the run from others on the page.
pub(super) fn body(run: &NamedRun, number: usize, figures: &mut Figures) -> Markup {
    let sections = sections(run, figures);
    html! {
        nav aria-label="sections" {
            @for section in &sections { a href={ "#" (section.anchor) "-" (number) } { (section.title) } " " }
        }
        @for section in sections {
            section id={ (section.anchor) "-" (number) } {
                h2 { (section.title) }
                (section.content)
            }
        }
        @if run.history.damaged > 0 {
            p class="faint" { (run.history.damaged) " damaged lines of the events file were skipped." }
        }
    }
}

fn sections(run: &NamedRun, figures: &mut Figures) -> Vec<Section> {
    let history = run.history;
    let places = RelativePaths::of(history);
    let mut sections = Vec::new();
    let mut push = |title, anchor, content| {
        sections.push(Section {
            title,
            anchor,
            content,
        });
    };
    push("Curves", "curves", metric_charts(history, figures));
    if !history.epochs.is_empty() || history.tested.is_some() {
        push("Metrics", "scores", summary::scores(history));
    }
    if let Some(outcome) = Outcome::of(history) {
        push_classes(history, &outcome, &places, &mut push);
    }
    if !history.epochs.is_empty() {
        push("Epochs", "epochs", timing::epochs(history));
    }
    if let Some(timing) = timing(run, figures) {
        push("Timing", "timing", timing);
    }
    if let Some(started) = &history.started {
        push("Settings", "settings", settings::config(started, &places));
        push(
            "Environment",
            "environment",
            settings::environment(started, &history.systems, &places),
        );
    }
    if !history.messages.is_empty() {
        push("Messages", "messages", settings::messages(history, &places));
    }
    if history.started.is_some() {
        push(
            "Commands",
            "commands",
            settings::commands(history, run.folder, &places),
        );
    }
    sections
}

fn push_classes(
    history: &History,
    outcome: &Outcome,
    places: &RelativePaths,
    push: &mut impl FnMut(&'static str, &'static str, Markup),
) {
    let confusion = history.confusion(outcome.confusion);
    if !confusion.is_empty() {
        push(
            "Confusion matrix",
            "confusion",
            classes::confusion(history, outcome, &confusion),
        );
        push(
            "Metrics of each class",
            "classes",
            classes::table(history, &confusion),
        );
    }
    if !outcome.mistakes.is_empty() {
        let gallery = html! {
            (summary::images(outcome))
            (mistakes::gallery(history, outcome.mistakes, places))
        };
        push("Worst mistakes", "mistakes", gallery);
    }
}

fn metric_charts(history: &History, figures: &mut Figures) -> Markup {
    let metrics = curves::metrics(&[history]);
    let drawn = metrics
        .iter()
        .filter_map(|metric| curves::metric_figure(history, metric));
    html! {
        @if metrics.is_empty() { p { "No metrics were recorded yet." } }
        div class="figures" { @for figure in drawn { (figures.draw(figure)) } }
    }
}

/// Returns the timing section, or `None` before anything is known about it.
fn timing(run: &NamedRun, figures: &mut Figures) -> Option<Markup> {
    let history = run.history;
    let mean = history.mean_speed();
    let drawn = machine::figures(history);
    if history.sittings.is_empty() && mean.is_none() && drawn.is_empty() {
        return None;
    }
    Some(html! {
        div class="beside" {
            (timing::sessions(history, run.is_running))
            @if let Some(mean) = mean { (timing::step_parts(&mean)) }
        }
        div class="figures" {
            @for figure in drawn { (figures.draw(figure)) }
        }
    })
}
