//! A screen in the terminal for runs, while they train and afterwards.
//!
//! Everything that is shown comes from an [`events::History`], so a screen can belong to the program that
//! trains ([`Mode::Live`]) or to any other ([`Mode::Watch`]), and shows several runs at once. What the
//! user has chosen is a [`State`]; [`update`] takes what the user does, [`draw()`] is a function of the state
//! and the runs, and [`run`] is the loop around them with the files and the terminal.
//!
//! | module | what it holds |
//! |---|---|
//! | `mode` | what the screen is for, and what it asks of its owner |
//! | `screen` | the loop between the files, the user and the terminal |
//! | `capture` | what is printed meanwhile |
//! | `session` | the terminal: how it is taken and given back |
//! | `pace` | when to look for news and when to draw |
//! | `runs` | the runs that are shown, as far as their files have grown |
//! | `state`, `window`, `scores` | what the user has chosen |
//! | `input`, `update`, `mouse`, `keys`, `layout` | what the user does, and where on the screen |
//! | `draw`, `dialogs`, `pages` | the whole screen, and its parts |
//! | `progress`, `panel`, `image`, `confusion`, `settings` | what several pages show |
//! | `curves`, `chart`, `ticks`, `canvas` | curves with their axes |
//! | `theme`, `pen`, `text`, `format` | colors, and text that cannot act |
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
//! let options = Options {
//!     mode: Mode::Watch,
//!     ..Options::default()
//! };
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
mod ticks;
mod update;
mod window;

pub use capture::Said;
pub use chart::Traced;
pub use draw::{draw, trace};
pub use input::{Input, Response};
pub use mode::{Command, End, Mode, Options, Source};
pub use runs::Run;
pub use screen::run;
pub use session::{DashboardError, last_panic, restore};
pub use state::State;
pub use theme::{Background, Colors, Theme};
pub use update::update;
