//! Command-line code shared by the programs.
//!
//! | module | contents |
//! |---|---|
//! | [`console`] | arguments, error messages, exit codes |
//! | [`voice`] | all output to standard output and standard error |
//! | [`terminal`] | progress bars |
//! | [`started`] | commands in messages, as the user can start them |
//! | [`help`] | help, completions, manual pages |
//! | [`flags`] | flags of both programs |
//! | [`environment`] | environment variables, threads |
//! | [`benchmark`] | measurements and output of `--bench` |
//! | [`find_run`], [`newest_run`], [`Candidates`] | finding a run |
//!
//! ```
//! use command_line::console;
//!
//! let error = anyhow::anyhow!("cannot open photo.jpg");
//! assert_eq!(console::message(&error, Some("check the path")), "error: cannot open photo.jpg\nhint: check the path");
//! ```

pub mod benchmark;
pub mod console;
pub mod environment;
pub mod flags;
pub mod help;
mod runs;
pub mod started;
pub mod terminal;
mod usage;
pub mod voice;

pub use runs::{Candidates, Choice, Skipped, Why, find_run, newest_run};
