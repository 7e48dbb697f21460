//! Display and control of a run on the terminal.

pub(crate) mod advice;
pub(crate) mod bar;
pub(crate) mod broken;
pub(crate) mod burn_screen;
pub(crate) mod epoch_line;
pub(crate) mod held_back;
pub(crate) mod launcher;
pub(crate) mod live;
pub(crate) mod log_file;
pub(crate) mod look;
pub(crate) mod progress;
pub(crate) mod screen;
pub(crate) mod signals;
pub(crate) mod ui;
pub(crate) mod unreadable;
