//! What the program is to its user: arguments, terminal, signals.

pub(crate) mod arguments;
mod benchmark;
mod convert;
mod dashboard;
mod eval;
mod eval_arguments;
mod lines;
mod log_file;
pub(crate) mod program;
mod report;
mod screen;
mod settings;
mod signals;
mod study;
mod study_arguments;
mod summary;
mod survey;
mod survey_arguments;
mod table;
mod unreadable;
