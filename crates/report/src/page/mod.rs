//! Runs as a page: one self-contained HTML file for screens, phones and paper.
//!
//! Charts are complete without a script; a script inside the page adds interaction with the
//! pointer. The page's content security policy allows no other script and no loading, and every
//! text from a run's file is escaped.
//!
//! | module | contents |
//! |---|---|
//! | `run` | all sections of one run |
//! | `comparison` | comparison of several runs |
//! | `summary` | state, key figures, warnings, scores |
//! | `curves` | training curves of a run |
//! | `machine` | speed and utilization of the machine |
//! | `figure` | a chart with its legend |
//! | `script_data` | the data of charts for the script |
//! | `outcome` | the images that a run's results refer to |
//! | `classes` | confusion matrix and class table |
//! | `mistakes` | misclassified images |
//! | `timing` | epochs, sessions, parts of a step |
//! | `settings` | settings, environment, messages, commands |
//! | `format` | formats numbers and text for people |
//! | `markdown` | the same runs as a Markdown file |
//!
//! `script` contains the parts of the script.

mod classes;
mod comparison;
mod curves;
mod figure;
mod format;
mod machine;
mod markdown;
mod mistakes;
mod outcome;
mod run;
mod script_data;
mod settings;
mod summary;
mod timing;

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use events::{History, State};
use files::printable_lines;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use ring::digest;

use crate::chart::color_rules;
use figure::Figures;
pub use markdown::markdown;

/// Maximum number of runs that a title names; with more, it names one less and counts the rest.
const MOST_NAMES: usize = 4;
const STYLE: &str = include_str!("page.css");
/// A single script: each file uses the definitions of the previous ones.
const SCRIPT: &str = concat!(
    include_str!("script/axes.js"),
    include_str!("script/layout.js"),
    include_str!("script/draw.js"),
    include_str!("script/readout.js"),
    include_str!("script/controls.js"),
    include_str!("script/tables.js"),
    include_str!("script/start.js"),
);

/// A run with its display name and state.
#[derive(Clone, Copy, Debug)]
pub struct NamedRun<'a> {
    /// Display name.
    pub name: &'a str,
    /// Its folder as an absolute path, for the command that resumes it. Reports show it relative to
    /// the folder that the run was started in.
    pub folder: &'a Path,
    /// Its history.
    pub history: &'a History,
    /// Whether a program is training it.
    pub is_running: bool,
}

impl NamedRun<'_> {
    fn state(&self) -> State {
        self.history.state(self.is_running)
    }
}

/// Returns the page of one or more runs as HTML.
pub fn page(runs: &[NamedRun]) -> String {
    let histories: Vec<&History> = runs.iter().map(|run| run.history).collect();
    let mut figures = Figures::new(curves::across(&histories));
    let (title, content) = match runs {
        [run] => (run.name.to_owned(), one(run, &mut figures)),
        runs => (title(runs), several(runs, &mut figures)),
    };
    let style = style();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy(&style));
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(&style)) }
            }
            body {
                (content)
                script type="application/json" id="figures" { (PreEscaped(figures.json())) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    printable_lines(&page.into_string()).into_owned()
}

/// Returns the names of the runs, as many as fit into a title.
fn title(runs: &[NamedRun]) -> String {
    let names: Vec<String> = runs.iter().map(|run| format::short(run.name)).collect();
    match &names[..] {
        [] => "No runs".to_owned(),
        [name] => name.clone(),
        [names @ .., last] if names.len() < MOST_NAMES => {
            format!("{} and {last}", names.join(", "))
        }
        names => format!(
            "{} and {} more runs",
            names[..MOST_NAMES - 1].join(", "),
            names.len() + 1 - MOST_NAMES
        ),
    }
}

fn one(run: &NamedRun, figures: &mut Figures) -> Markup {
    html! {
        header {
            h1 { (run.name) " " (summary::state(run)) }
            (run::head(run))
        }
        main { (run::body(run, 0, figures)) }
    }
}

fn several(runs: &[NamedRun], figures: &mut Figures) -> Markup {
    html! {
        header { h1 { (title(runs)) } }
        main {
            @if !runs.is_empty() {
                section {
                    h2 { "Comparison" }
                    (comparison::table(runs))
                }
                section {
                    h2 { "Curves" }
                    (comparison::curves(runs, figures))
                }
            }
            @for (number, run) in runs.iter().enumerate() {
                details class="run" {
                    summary { (run.name) " " (summary::state(run)) }
                    (run::head(run))
                    (run::body(run, number, figures))
                }
            }
        }
    }
}

/// Returns the style sheet, with chart colors for light and dark backgrounds. Printed pages are
/// light.
fn style() -> String {
    format!(
        "{STYLE}{}@media screen and (prefers-color-scheme:dark){{{}}}",
        color_rules(false),
        color_rules(true)
    )
}

/// Returns the content security policy: nothing is loaded, and only the page's own style and script
/// are active, identified by their digests.
fn policy(style: &str) -> String {
    let digest =
        |text: &str| BASE64_STANDARD.encode(digest::digest(&digest::SHA256, text.as_bytes()));
    format!(
        "default-src 'none'; img-src data:; style-src 'sha256-{}'; script-src 'sha256-{}'; \
         base-uri 'none'; form-action 'none'",
        digest(style),
        digest(SCRIPT)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_name_the_runs() {
        let history = History::default();
        let titled = |names: &[&str]| {
            let runs = names.iter().map(|name| NamedRun {
                name,
                folder: Path::new(""),
                history: &history,
                is_running: false,
            });
            title(&runs.collect::<Vec<_>>())
        };
        assert_eq!(titled(&[]), "No runs");
        assert_eq!(titled(&["a"]), "a");
        assert_eq!(titled(&["a", "b"]), "a and b");
        assert_eq!(titled(&["a", "b", "c", "d"]), "a, b, c and d");
        assert_eq!(
            titled(&["a", "b", "c", "d", "e"]),
            "a, b, c and 2 more runs"
        );
    }

    #[test]
    fn style_and_script_match_their_digests() {
        let style = style();
        for text in [style.as_str(), SCRIPT] {
            assert_eq!(printable_lines(text), text);
            assert!(!text.contains("</") && !text.contains("<!--"));
        }
        assert!(page(&[]).contains(&policy(&style)));
    }
}
