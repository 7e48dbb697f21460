//! Key input.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use events::Axis;

use crate::curves::{extent, metrics};
use crate::dialogs::scroll_help;
use crate::keys::KeyScope;
use crate::mode::{Command, Mode};
use crate::runs::Run;
use crate::scores::{ScoreDetail, moved};
use crate::state::{Dialog, Order, Pane, SMOOTHING, Shown, State, Tab};
use crate::window::Window;

/// Handles a key.
pub(crate) fn press(state: &mut State, key: KeyEvent, runs: &[Run]) -> Option<Command> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c') => interrupt(state),
            KeyCode::Char('l') => {
                state.is_redrawn = true;
                None
            }
            _ => None,
        };
    }
    if let Some(dialog) = state.dialog {
        return answer(state, dialog, key.code, runs);
    }
    match key.code {
        KeyCode::Char('q') => return quit(state),
        KeyCode::Char('?') | KeyCode::F(1) => {
            state.dialog = Some(Dialog::Help);
            state.help_row = 0;
        }
        KeyCode::Char('t') => state.theme = state.theme.next(state.colors),
        KeyCode::Char('r') => state.run = (state.run + 1) % runs.len().max(1),
        KeyCode::Char('R') => state.run = (state.run + runs.len().max(1) - 1) % runs.len().max(1),
        KeyCode::Char(digit @ '1'..='6') => {
            state.tab = Tab::ALL[digit as usize - '1' as usize];
        }
        KeyCode::Tab => state.tab = Tab::ALL[(state.tab.index() + 1) % 6],
        KeyCode::BackTab => state.tab = Tab::ALL[(state.tab.index() + 5) % 6],
        KeyCode::Char('c' | 'e' | 'n') if state.scope(runs).has(KeyScope::Run) => {
            return control(state, key.code, runs);
        }
        KeyCode::Char('d') if state.scope(runs).has(KeyScope::Own) => return Some(Command::Detach),
        _ => press_on_page(state, key, runs),
    }
    None
}

fn interrupt(state: &mut State) -> Option<Command> {
    match state.mode {
        Mode::Live => stop(state, Command::StopNow),
        Mode::Watch => Some(Command::Quit),
    }
}

fn quit(state: &mut State) -> Option<Command> {
    match state.mode {
        Mode::Watch => Some(Command::Quit),
        Mode::Live => {
            state.dialog = Some(Dialog::Leave);
            None
        }
    }
}

/// Handles a key in a dialog; keys that it does not offer close it.
fn answer(state: &mut State, dialog: Dialog, code: KeyCode, runs: &[Run]) -> Option<Command> {
    let scope = state.scope(runs);
    let rows = match code {
        KeyCode::Up => -1,
        KeyCode::Down => 1,
        KeyCode::PageUp => -5,
        KeyCode::PageDown => 5,
        KeyCode::Home => i16::MIN,
        KeyCode::End => i16::MAX,
        _ => 0,
    };
    if dialog == Dialog::Help && rows != 0 {
        scroll_help(state, scope, rows);
        return None;
    }
    state.dialog = None;
    if !scope.controls {
        return None; // the run has ended meanwhile
    }
    match (dialog, code) {
        (Dialog::Leave, KeyCode::Char('d')) => Some(Command::Detach),
        (Dialog::Leave, KeyCode::Char('e')) => stop(state, Command::StopAfterEpoch),
        (Dialog::Leave, KeyCode::Char('n')) => stop(state, Command::StopNow),
        (Dialog::Stop, KeyCode::Char('y')) => stop(state, Command::StopNow),
        (Dialog::StopAfterEpoch, KeyCode::Char('y')) => stop(state, Command::StopAfterEpoch),
        _ => None,
    }
}

fn control(state: &mut State, code: KeyCode, runs: &[Run]) -> Option<Command> {
    match code {
        KeyCode::Char('c') => {
            let run = runs.get(state.run);
            let asked = state.asked.entry(state.run).or_default();
            asked.checkpoints = run.map(|run| run.history.checkpoints.len());
            Some(Command::Checkpoint)
        }
        // The owner has the run's terminal; other users may have pressed the key by mistake.
        KeyCode::Char('e') if state.mode == Mode::Watch => {
            state.dialog = Some(Dialog::StopAfterEpoch);
            None
        }
        KeyCode::Char('e') => stop(state, Command::StopAfterEpoch),
        KeyCode::Char('n') => {
            state.dialog = Some(Dialog::Stop);
            None
        }
        _ => None,
    }
}

fn stop(state: &mut State, command: Command) -> Option<Command> {
    // A run that stops now will not stop later.
    let asked = state.asked.entry(state.run).or_default();
    if asked.stop != Some(Command::StopNow) {
        asked.stop = Some(command);
    }
    Some(command)
}

fn press_on_page(state: &mut State, key: KeyEvent, runs: &[Run]) {
    match state.tab {
        Tab::Overview => press_on_curves(state, key.code),
        Tab::Charts => press_on_charts(state, key, runs),
        Tab::Classes => press_on_classes(state, key.code, runs),
        Tab::Mistakes => press_on_mistakes(state, key.code, runs),
        Tab::Speed => {}
        Tab::Log => press_on_log(state, key.code, runs),
    }
}

fn press_on_curves(state: &mut State, code: KeyCode) {
    let view = &mut state.view;
    match code {
        KeyCode::Char('x') => {
            view.axis = match view.axis {
                Axis::Step => Axis::Epoch,
                Axis::Epoch => Axis::Time,
                Axis::Time => Axis::Step,
            };
            view.window = Window::All;
            view.cursor = None;
        }
        KeyCode::Char('l') => view.log = !view.log,
        KeyCode::Char('s') => view.smoothing = (view.smoothing + 1).min(SMOOTHING.len() - 1),
        KeyCode::Char('S') => view.smoothing = view.smoothing.saturating_sub(1),
        KeyCode::Char('v') => {
            view.shown = match view.shown {
                Shown::All => Shown::Train,
                Shown::Train => Shown::Validation,
                Shown::Validation => Shown::All,
            };
        }
        _ => {}
    }
}

/// Fraction of the width that one key press moves.
const PAN: f64 = 0.2;
/// Relative width after zooming in.
pub(crate) const ZOOM: f64 = 0.7;

fn press_on_charts(state: &mut State, key: KeyEvent, runs: &[Run]) {
    let end = extent(runs, state.view.axis);
    let view = &mut state.view;
    let range = view.window.range(end);
    let about = view.cursor.unwrap_or(range[1]);
    let is_shifted = key.modifiers.contains(KeyModifiers::SHIFT);
    match key.code {
        KeyCode::Char('m') => view.metric = neighbor(&metrics(runs), &view.metric, 1),
        KeyCode::Char('M') => view.metric = neighbor(&metrics(runs), &view.metric, -1),
        KeyCode::Char('+' | '=') | KeyCode::Up => view.window = view.window.zoom(end, about, ZOOM),
        KeyCode::Char('-' | '_') | KeyCode::Down => {
            view.window = view.window.zoom(end, about, 1.0 / ZOOM);
        }
        KeyCode::Char('<' | ',') => view.window = view.window.pan(end, -PAN),
        KeyCode::Char('>' | '.') => view.window = view.window.pan(end, PAN),
        KeyCode::Left if is_shifted => view.window = view.window.pan(end, -PAN),
        KeyCode::Right if is_shifted => view.window = view.window.pan(end, PAN),
        KeyCode::Left => move_cursor(state, end, -1.0),
        KeyCode::Right => move_cursor(state, end, 1.0),
        KeyCode::Home => view.cursor = Some(range[0]),
        KeyCode::End => view.cursor = Some(range[1]),
        KeyCode::Char('f') => follow(state),
        KeyCode::Char('b') => cursor_to_best(state, runs),
        KeyCode::Esc => view.cursor = None,
        code => press_on_curves(state, code),
    }
}

/// Moves the cursor by columns; the window follows it.
fn move_cursor(state: &mut State, end: f64, columns: f64) {
    let view = &mut state.view;
    let [from, to] = view.window.range(end);
    let plot = crate::pages::charts::plot_width(state.size).max(1);
    let by = (to - from) / f64::from(plot) * columns;
    let cursor = match view.cursor {
        Some(cursor) => (cursor + by).clamp(0.0, end),
        None => to,
    };
    view.cursor = Some(cursor);
    if cursor < from || cursor > to {
        view.window = view.window.pan(end, columns.signum() * PAN);
    }
}

fn follow(state: &mut State) {
    let window = state.view.window.follow();
    if window == state.view.window {
        state.notice = Some("all is shown".into());
    }
    state.view.window = window;
}

fn cursor_to_best(state: &mut State, runs: &[Run]) {
    let theme = state.theme;
    let Some(run) = runs.get(state.run) else {
        return;
    };
    let chart = crate::curves::chart(theme, &state.view, &state.view.metric, &[*run], 1);
    let mut best = chart.series.iter().filter_map(|series| series.best);
    let Some([place, _]) = best.next_back() else {
        state.notice = Some("no best point here".into());
        return;
    };
    state.view.cursor = Some(place);
    let [from, to] = chart.x;
    if !(from..=to).contains(&place) {
        state.view.window = Window::All;
    }
}

fn neighbor(names: &[String], name: &str, by: isize) -> String {
    let count = names.len().max(1) as isize;
    let place = names.iter().position(|other| other == name);
    let place = place.map_or(0, |place| (place as isize + by).rem_euclid(count));
    names
        .get(place as usize)
        .map_or(name, String::as_str)
        .to_owned()
}

fn press_on_classes(state: &mut State, code: KeyCode, runs: &[Run]) {
    let last = crate::pages::classes::count(state, runs).saturating_sub(1);
    let to = |class: usize, by: isize| class.min(last).saturating_add_signed(by).min(last);
    match code {
        KeyCode::Up => state.class = to(state.class, -1),
        KeyCode::Down => state.class = to(state.class, 1),
        KeyCode::PageUp => state.class = to(state.class, -10),
        KeyCode::PageDown => state.class = to(state.class, 10),
        KeyCode::Home => state.class = 0,
        KeyCode::End => state.class = last,
        KeyCode::Char('o') => {
            state.order = Order::next(state.order);
            state.class = 0;
        }
        KeyCode::Char('z') => state.is_matrix_switched = !state.is_matrix_switched,
        code => choose_epoch(state, code, runs, ScoreDetail::Confusion),
    }
}

fn press_on_mistakes(state: &mut State, code: KeyCode, runs: &[Run]) {
    let last = crate::pages::mistakes::last_row(state, runs);
    let row = state.mistake_row.min(last);
    match code {
        KeyCode::Left => crate::pages::mistakes::choose(state, -1, runs),
        KeyCode::Right => crate::pages::mistakes::choose(state, 1, runs),
        KeyCode::Up | KeyCode::PageUp => state.mistake_row = row.saturating_sub(1),
        KeyCode::Down | KeyCode::PageDown => state.mistake_row = (row + 1).min(last),
        KeyCode::Home => state.mistake_row = 0,
        KeyCode::End => state.mistake_row = last,
        KeyCode::Char('+' | '=') => state.image_size = (state.image_size + 2).min(64),
        KeyCode::Char('-' | '_') => state.image_size = (state.image_size - 2).max(-64),
        code => {
            choose_epoch(state, code, runs, ScoreDetail::Mistakes);
            if matches!(code, KeyCode::Char('[' | ']')) {
                state.mistake_row = 0;
                state.mistake = 0;
            }
        }
    }
}

fn choose_epoch(state: &mut State, code: KeyCode, runs: &[Run], part: ScoreDetail) {
    let Some(run) = runs.get(state.run) else {
        return;
    };
    let by = match code {
        KeyCode::Char('[') => -1,
        KeyCode::Char(']') => 1,
        _ => return,
    };
    state.choice = moved(run.history, part, state.choice, by);
}

fn press_on_log(state: &mut State, code: KeyCode, runs: &[Run]) {
    let by = match code {
        KeyCode::Left => {
            state.pane = Pane::Settings;
            return;
        }
        KeyCode::Right => {
            state.pane = Pane::Messages;
            return;
        }
        KeyCode::Up => -1,
        KeyCode::Down => 1,
        KeyCode::PageUp => -10,
        KeyCode::PageDown => 10,
        KeyCode::Home => isize::MIN,
        KeyCode::End => isize::MAX,
        _ => return,
    };
    scroll_log(state, by, runs);
}

/// Scrolls the pane that has the focus.
pub(crate) fn scroll_log(state: &mut State, by: isize, runs: &[Run]) {
    match state.pane {
        Pane::Settings => {
            let last = crate::pages::log::settings_count(state, runs).saturating_sub(1);
            state.setting = state.setting.min(last).saturating_add_signed(by).min(last);
        }
        Pane::Messages => {
            let run = runs.get(state.run);
            let last = run.map_or(0, |run| run.history.messages.len().saturating_sub(1));
            // Counted from the end.
            let by = by.checked_neg().unwrap_or(isize::MAX);
            state.message = state.message.min(last).saturating_add_signed(by).min(last);
        }
    }
}
