//! A screen in the terminal for runs, while they train and afterwards.
//!
//! Everything that is shown comes from an [`events::History`].
