//! Terminal dashboard for runs, while they train and afterwards.
//!
//! Everything shown comes from an [`events::History`], so a dashboard can belong to the program
//! that trains ([`Mode::Live`]) or to any other ([`Mode::Watch`]), and can show several runs at
//! once. [`State`] holds the user's choices. [`update`] handles user input, [`draw()`] renders the
//! state and the runs, and [`run`] is the loop that connects them with the files and the terminal.
//!
//! | module | contents |
//! |---|---|
//! | `mode` | purpose of the dashboard, and commands to its owner |
//! | `screen` | the loop between the files, the user and the terminal |
//! | `capture` | captures printed output |
//! | `session` | takes and restores the terminal |
//! | `pace` | when to check the files and when to draw |
//! | `runs` | the runs that are shown, updated as their files grow |
//! | `state`, `window`, `scores` | the user's choices |
//! | `input`, `update`, `press`, `mouse`, `keys`, `layout` | user input, and positions on the screen |
//! | `draw`, `dialogs`, `pages` | the whole screen, and its parts |
//! | `progress`, `panel`, `thumbnail`, `settings` | parts shared by several pages |
//! | `curves`, `chart`, `canvas` | curves with their axes |
//! | `theme`, `pen`, `text` | colors, and sanitized text |
//!
//! ```no_run
//! use dashboard::{Command, Mode, Options, Source};
//!
//! # fn main() -> Result<(), dashboard::DashboardError> {
//! let source = Source {
//!     name: "first".to_owned(),
//!     folder: "runs/first".into(),
//!     resume: None,
//! };
//! let options = Options::default().with_mode(Mode::Watch);
//! dashboard::run(vec![source], options, &mut |_, _: Command| Ok(()), &|| false, None)?;
//! # Ok(())
//! # }
//! ```

mod canvas;
mod capture;
mod chart;
mod curves;
mod dialogs;
mod draw;
mod input;
mod keys;
mod layout;
mod mode;
mod mouse;
mod pace;
mod pages;
mod panel;
mod pen;
mod press;
mod progress;
mod runs;
mod scores;
mod screen;
mod session;
mod settings;
mod state;
mod text;
mod theme;
mod thumbnail;
mod update;
mod window;

pub use capture::Said;
pub use draw::{draw, trace};
pub use input::{Input, Response};
pub use mode::{Command, End, Mode, Options, Source};
pub use pen::Traced;
pub use runs::Run;
pub use screen::run;
pub use session::{DashboardError, last_panic, restore};
pub use state::State;
pub use theme::{Background, Colors, Theme};
pub use update::update;
