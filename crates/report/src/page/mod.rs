//! Runs as a page: one HTML file that needs no others, for screens, phones and paper.
//!
//! Charts are complete as they stand; a script that is part of the page answers the pointer. The
//! page's policy lets nothing else act and loads nothing, and every text from a run's file is escaped.
//!
//! | module | what it holds |
//! |---|---|
//! | `run` | all sections of one run |
//! | `comparison` | several runs side by side |
//! | `summary` | state, key figures, warnings, scores |
//! | `curves` | which curves of learning a run has |
//! | `machine` | how fast it went, how busy the machine was |
//! | `figure` | a chart with its legend and its data |
//! | `outcome` | the images that the results of a run are of |
//! | `classes` | confusion, and the table of classes |
//! | `mistakes` | misclassified images |
//! | `timing` | epochs, sessions, parts of a step |
//! | `settings` | settings, environment, messages, commands |
//! | `format` | numbers and texts as people read them |
//! | `markdown` | the same runs as a Markdown file |
//!
//! `script` holds the parts of the script.

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
mod settings;
mod summary;
mod timing;

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use events::History;
use files::printable_lines;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use ring::digest;

use crate::chart::color_rules;
use figure::Figures;
pub use markdown::markdown;

/// A title names so many runs, or one less and how many more there are.
const MOST_NAMES: usize = 4;
const STYLE: &str = include_str!("page.css");
/// One script: each file uses what those before it define.
const SCRIPT: &str = concat!(
    include_str!("script/axes.js"),
    include_str!("script/layout.js"),
    include_str!("script/draw.js"),
    include_str!("script/readout.js"),
    include_str!("script/controls.js"),
    include_str!("script/tables.js"),
    include_str!("script/start.js"),
);

/// A run with what people know it by.
#[derive(Clone, Copy, Debug)]
pub struct NamedRun<'a> {
    /// What to call it.
    pub name: &'a str,
    /// Its folder as an absolute path, for the command that resumes it; reports show it relative to the folder
    /// that the run was started in.
    pub folder: &'a Path,
    /// What happened in it.
    pub history: &'a History,
    /// Whether a program works on it.
    pub is_running: bool,
}

/// The page of one run or several, as HTML.
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

/// The runs' names, as far as there is room for them.
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

/// The page's rules, with colors of charts for both grounds. Paper is light.
fn style() -> String {
    format!(
        "{STYLE}{}@media screen and (prefers-color-scheme:dark){{{}}}",
        color_rules(false),
        color_rules(true)
    )
}

/// Nothing is loaded, and nothing acts but the page's own style and script, known by their digests.
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
    fn style_and_script_stay_as_their_digests_know_them() {
        let style = style();
        for text in [style.as_str(), SCRIPT] {
            assert_eq!(printable_lines(text), text);
            assert!(!text.contains("</") && !text.contains("<!--"));
        }
        assert!(page(&[]).contains(&policy(&style)));
    }
}
