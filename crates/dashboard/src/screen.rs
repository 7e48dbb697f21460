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

/// Shows runs on the terminal until the user leaves. The first is the one that others are compared
/// with, and the owner's one in [`Mode::Live`].
///
/// `command` is called with everything that the user wants of a run, after the run's place in `sources`; what it
/// fails with is shown. With [`Command::Detach`] and [`Command::Quit`], the screen closes. In [`Mode::Live`], it closes too as soon as `is_finished` says
/// so; it is asked a few times a second. Ctrl-C is a key here: [`Command::StopNow`], or
/// [`Command::Quit`] for who only watches.
///
/// On Unix, lines that the program prints meanwhile go to `said`, which may not print, and neither onto the
/// screen nor behind it; panics too, and the last of them to [`last_panic`](crate::last_panic). Elsewhere
/// and without it, a panic closes the screen before it is printed.
///
/// Call it on a thread of its own while a run goes on. The terminal is given back when it returns,
/// and by [`restore`](crate::restore).
///
/// # Errors
///
/// If input or output is no terminal, or the terminal goes away, as when a connection breaks: the owner's
/// run can go on then.
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
