//! The pages, one for each tab.

pub(crate) mod charts;
pub(crate) mod classes;
pub(crate) mod log;
pub(crate) mod mistakes;
pub(crate) mod overview;
pub(crate) mod rate;
pub(crate) mod speed;
