//! `model::summary`.

mod networks;
mod published;
