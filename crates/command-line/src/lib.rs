//! What the programs share on the command line.
//!
//! | module | what it holds |
//! |---|---|
//! | [`console`] | arguments, error messages, exit codes |
//! | [`voice`] | the one way to print |
//! | [`terminal`] | progress bars |
//! | [`help`] | help, completions, manual pages |
//! | [`flags`] | flags of both programs |
//! | [`environment`] | environment variables, threads |
//! | [`benchmark`] | what `--bench` measures and prints |
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
pub mod terminal;
mod usage;
pub mod voice;

pub use runs::{Candidates, Choice, Skipped, Why, find_run, newest_run};
