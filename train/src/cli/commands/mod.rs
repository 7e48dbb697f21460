//! All commands except training.

pub(crate) mod benchmark;
pub(crate) mod convert;
pub(crate) mod eval;
pub(crate) mod eval_report;
pub(crate) mod export;
pub(crate) mod follow;
pub(crate) mod quantize;
pub(crate) mod report;
pub(crate) mod runs;
pub(crate) mod study;
pub(crate) mod subject;
pub(crate) mod summary;
pub(crate) mod survey;
pub(crate) mod watch;
