//! The loop between the files, the user and the terminal.

use std::time::{Duration, Instant};

use crossterm::event;

use crate::capture::Said;
use crate::draw::draw;
use crate::input::Input;
use crate::mode::{Command, End, Mode, Options, Source};
use crate::pace::Pace;
use crate::runs::Runs;
use crate::session::{DashboardError, Session, wait_for_input};
use crate::state::State;
use crate::update::update;

/// Shows runs on the terminal until the user leaves. The others are compared with the first run,
/// which is the owner's in [`Mode::Live`].
///
/// `command` receives each command of the user, after the index of the run in `sources`; if it
/// fails, the error is shown. [`Command::Detach`] and [`Command::Quit`] close the dashboard. In
/// [`Mode::Live`], it also closes once `is_finished`, which is called a few times per second,
/// returns `true`. Ctrl-C is a key here: [`Command::StopNow`], or [`Command::Quit`] if the
/// dashboard only watches.
///
/// On Unix, lines that the program prints in the meantime are passed to `said`, which must not
/// print itself, and they do not reach the terminal. Panics are passed on too, and the last one is
/// available from [`last_panic`](crate::last_panic). On other systems, or without `said`, a panic
/// closes the dashboard before it is printed.
///
/// Call it on a separate thread while a run is in progress. The terminal is restored when it
/// returns, and by [`restore`](crate::restore).
///
/// # Errors
///
/// If input or output is not a terminal, or if the terminal disappears, as when a connection
/// breaks. In the latter case, the owner's run can continue.
pub fn run(
    sources: Vec<Source>,
    options: Options,
    command: &mut dyn FnMut(usize, Command) -> Result<(), String>,
    is_finished: &dyn Fn() -> bool,
    said: Option<Said>,
) -> Result<End, DashboardError> {
    let mut runs = Runs::open(sources)?;
    let mut state = State::new(options);
    let mut session = Session::enter(said)?;
    let mut pace = Pace::new(Instant::now());
    loop {
        if !session.is_ours() {
            return Ok(End::Restored);
        }
        if options.mode == Mode::Live && is_finished() {
            return Ok(End::Finished);
        }
        let now = Instant::now();
        if pace.is_look_due(now) {
            if runs.poll() {
                pace.news();
            }
            pace.looked(now, now.elapsed());
        }
        if pace.is_draw_due(now) {
            let begin = Instant::now();
            let views = runs.views();
            session.draw(|frame| {
                state.size = frame.area().as_size();
                draw(frame, &state, &views);
            })?;
            pace.drew(begin, begin.elapsed());
        }
        wait_for_input(pace.wait(Instant::now()))?;
        while let Some(input) = next_input()? {
            let response = update(&mut state, input, &runs.views());
            if response.is_changed {
                pace.asked();
            }
            if std::mem::take(&mut state.is_redrawn) {
                session.clear()?;
            }
            let Some(asked) = response.command else {
                continue;
            };
            if let Err(problem) = command(state.run, asked) {
                state.refused(problem);
                pace.asked();
            }
            match asked {
                Command::Detach => return Ok(End::Detached),
                Command::Quit => return Ok(End::Quit),
                Command::Checkpoint | Command::StopAfterEpoch | Command::StopNow => {}
            }
        }
    }
}

fn next_input() -> Result<Option<Input>, DashboardError> {
    while event::poll(Duration::ZERO).map_err(DashboardError::Terminal)? {
        let event = event::read().map_err(DashboardError::Terminal)?;
        if let Ok(input) = Input::try_from(event) {
            return Ok(Some(input));
        }
    }
    Ok(None)
}
