//! The program's command line.
//!
//! | module | content |
//! |---|---|
//! | `arguments` | flags and help |
//! | `program` | dispatch from arguments to a command or to training |
//! | `prepare` | settings, device and data of a run |
//! | `training` | training and its display |
//! | `commands` | all commands except training |
//! | `display` | display and control of a run on the terminal |

mod about;
pub(crate) mod arguments;
pub(crate) mod commands;
pub(crate) mod destination;
pub(crate) mod display;
mod find;
pub(crate) mod prepare;
pub(crate) mod program;
pub(crate) mod training;
