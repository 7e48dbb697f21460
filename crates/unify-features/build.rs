//! Does nothing; without it, cargo would take no notice of the build dependencies.

fn main() {}
