//! The program's command line.
//!
//! | module | what it holds |
//! |---|---|
//! | `arguments` | flags and help |
//! | `program` | from arguments to a command, or to training |
//! | `prepare` | settings, device and data of a run |
//! | `training` | training, with everything that shows it |
//! | `commands` | the commands, all but training |
//! | `display` | how a run is shown, and controlled, on the terminal |

mod about;
pub(crate) mod arguments;
pub(crate) mod commands;
pub(crate) mod destination;
pub(crate) mod display;
mod find;
mod own;
pub(crate) mod prepare;
pub(crate) mod program;
pub(crate) mod training;
