//! Draws the whole screen.

use events::State as RunState;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::dialogs;
use crate::layout::{SMALLEST, hints, layout, tabs};
use crate::mode::{Command, Scope};
use crate::pages;
use crate::pen::{Pen, Span, Traced};
use crate::progress;
use crate::runs::Run;
use crate::state::{State, Tab};
use events::format::{duration, percent};

/// Draws the screen.
pub fn draw(frame: &mut Frame, state: &State, runs: &[Run]) {
    let screen = frame.area();
    let mut pen = Pen::new(frame.buffer_mut(), state.theme);
    draw_screen(&mut pen, screen, state, runs);
}

/// Draws the screen without the curves of its charts and returns the curves, for an image that can
/// draw lines.
pub fn trace(frame: &mut Frame, state: &State, runs: &[Run]) -> Vec<Traced> {
    let screen = frame.area();
    let mut pen = Pen::new(frame.buffer_mut(), state.theme);
    pen.traced = Some(Vec::new());
    draw_screen(&mut pen, screen, state, runs);
    pen.traced.unwrap_or_default()
}

fn draw_screen(pen: &mut Pen, screen: Rect, state: &State, runs: &[Run]) {
    let Some(layout) = layout(screen) else {
        let wanted = format!(
            "too small: {} x {} at least",
            SMALLEST.width, SMALLEST.height
        );
        pen.center(screen, screen.height / 2, &wanted, Style::new());
        return;
    };
    draw_tabs(pen, state, runs, layout.tabs);
    let scope = state.scope(runs);
    draw_foot(pen, state, scope, layout.foot);
    let Some(run) = runs.get(state.run.min(runs.len().saturating_sub(1))) else {
        pen.center(layout.body, layout.body.height / 2, "no run", Style::new());
        return;
    };
    draw_header(pen, state, runs, run, layout.header);
    if let Some(said) = instead(run) {
        pen.center(layout.body, layout.body.height / 2, &said, Style::new());
    } else {
        match state.tab {
            Tab::Overview => pages::overview::draw(pen, state, runs, run, layout.body),
            Tab::Charts => pages::charts::draw(pen, state, runs, layout.body),
            Tab::Classes => pages::classes::draw(pen, state, run, layout.body),
            Tab::Mistakes => pages::mistakes::draw(pen, state, run, layout.body),
            Tab::Speed => pages::speed::draw(pen, run, layout.body),
            Tab::Log => pages::log::draw(pen, state, runs, run, layout.body),
        }
    }
    if let Some(open) = state.dialog {
        dialogs::draw(pen, state, scope, open, screen);
    }
}

/// Returns the text shown if there is nothing else to show.
fn instead(run: &Run) -> Option<String> {
    if let Some(share) = run.loading {
        return Some(format!("reading events: {}", percent(share, 0)));
    }
    let history = run.history;
    let is_empty = history.started.is_none()
        && history.steps.is_empty()
        && history.epochs.is_empty()
        && history.messages.is_empty()
        && history.tested.is_none();
    match (is_empty, run.problem) {
        (true, Some(problem)) => Some(format!("cannot read the events: {problem}")),
        (true, None) if history.damaged > 0 => {
            Some(format!("none of {} lines is an event", history.damaged))
        }
        (true, None) => Some("no events yet".to_owned()),
        (false, _) => None,
    }
}

fn draw_header(pen: &mut Pen, state: &State, runs: &[Run], run: &Run, area: Rect) {
    let spans = status(pen, state, run);
    let long: usize = spans.iter().map(|(text, _)| crate::text::width(text)).sum();
    let start = area.width.saturating_sub(long as u16);
    pen.spans(area, start, 0, &spans);
    let place = Rect {
        width: start.saturating_sub(1),
        ..area
    };
    let heading = pen.theme.heading();
    let mut x = pen.print(place, 0, 0, run.name, heading);
    if runs.len() > 1 {
        let count = format!("  {} of {}", state.run + 1, runs.len());
        x = pen.print(place, x, 0, &count, Style::new());
    }
    if let Some(started) = &run.history.started {
        let what = format!("  {} on {}", started.model, started.data);
        pen.print(place, x, 0, &what, Style::new());
    }
}

/// Returns the state of the run and its duration; only the progress of reading while its file is
/// read.
fn status(pen: &Pen, state: &State, run: &Run) -> Vec<Span> {
    let theme = pen.theme;
    if run.loading.is_some() {
        // Nothing is known before the file is read.
        let sign = theme.either('…', '.');
        return vec![(format!("{sign} reading"), Style::new())];
    }
    let run_state = run.history.state(run.is_running);
    let (sign, style) = match run_state {
        RunState::Running => (theme.either('●', '*'), theme.good()),
        RunState::Finished => (theme.either('✔', 'v'), theme.good()),
        RunState::Stopped => (theme.either('■', '#'), theme.warning()),
        RunState::Failed | RunState::Crashed => (theme.either('✘', 'x'), theme.bad()),
    };
    let asked = state.asked();
    let is_saving = asked.checkpoints == Some(run.history.checkpoints.len());
    let asked = match asked.stop {
        _ if !run.is_running => None,
        Some(Command::StopNow) => Some("stops now"),
        Some(_) => Some("stops after this epoch"),
        None => is_saving.then_some("saves a checkpoint"),
    };
    let mut spans = Vec::new();
    if let Some(notice) = &state.notice {
        spans.push((format!("{notice}  "), theme.warning()));
    }
    if let Some(asked) = asked {
        spans.push((format!("{asked}  "), theme.warning()));
    }
    spans.push((format!("{sign} {}", run_state.name()), style));
    let seconds = progress::elapsed(run);
    spans.push((format!(" {}", duration(seconds)), Style::new()));
    spans
}

fn draw_tabs(pen: &mut Pen, state: &State, runs: &[Run], area: Rect) {
    for (tab, name, columns) in tabs(state, runs, area.width) {
        let style = match tab == state.tab {
            true => pen.theme.selected().add_modifier(Modifier::BOLD),
            false => Style::new(),
        };
        pen.print(area, columns.start, 0, &name, style);
    }
}

fn draw_foot(pen: &mut Pen, state: &State, scope: Scope, area: Rect) {
    let key = pen.theme.key();
    for hint in hints(scope, state.tab, area) {
        let x = pen.print(area, hint.columns.start, hint.row, hint.key, key);
        pen.print(area, x + 1, hint.row, hint.name, Style::new());
    }
}
