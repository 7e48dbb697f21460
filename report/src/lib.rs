//! What is left of runs: a page to read, tables, files for other programs.
//!
//! Everything here is made from an [`events::History`] and returned as text or bytes, or written to a
//! folder that the caller names. Nothing here reads arguments or prints.
