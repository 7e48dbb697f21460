//! Every key: what it is called, what it does, and where.

use crossterm::event::KeyCode;

use crate::mode::Mode;
use crate::state::Tab;

/// Where a key does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Everywhere,
    /// Where a run can be controlled: the screen's own, or one that another program trains now.
    Run,
    /// Where the screen belongs to a run.
    Own,
    /// Where the screen belongs to a run that can go on in the background.
    Background,
    /// Where the screen belongs to a run that cannot.
    Foreground,
    /// On the pages with these places in [`Tab::ALL`].
    Tabs(&'static [Tab]),
}

/// What there is to control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    pub mode: Mode,
    /// Whether the run that is shown can be controlled.
    pub controls: bool,
    /// Whether it can go on in the background.
    pub detaches: bool,
}

impl Scope {
    /// Whether keys of this place work on any page.
    pub(crate) fn has(self, place: Place) -> bool {
        let is_own = self.mode == Mode::Live;
        match place {
            Place::Everywhere => true,
            Place::Run => self.controls,
            Place::Own => is_own,
            Place::Background => is_own && self.detaches,
            Place::Foreground => is_own && !self.detaches,
            Place::Tabs(_) => false,
        }
    }
}

/// A key, or several that belong together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub shown: &'static str,
    /// At the foot; empty if it is not shown there.
    pub short: &'static str,
    /// On the help page.
    pub long: &'static str,
    /// What a click on the foot presses.
    pub code: KeyCode,
    pub place: Place,
}

const fn key(
    shown: &'static str,
    code: KeyCode,
    short: &'static str,
    long: &'static str,
    place: Place,
) -> Key {
    Key {
        shown,
        short,
        long,
        code,
        place,
    }
}

pub(crate) const CHARTS: Place = Place::Tabs(&[Tab::Charts]);
pub(crate) const CURVES: Place = Place::Tabs(&[Tab::Overview, Tab::Charts]);
pub(crate) const CLASSES: Place = Place::Tabs(&[Tab::Classes]);
pub(crate) const MISTAKES: Place = Place::Tabs(&[Tab::Mistakes]);
pub(crate) const SCORES: Place = Place::Tabs(&[Tab::Classes, Tab::Mistakes]);
pub(crate) const LOG: Place = Place::Tabs(&[Tab::Log]);

/// All keys, in the order of the help page.
pub(crate) const KEYS: [Key; 30] = [
    key(
        "?",
        KeyCode::Char('?'),
        "help",
        "this page",
        Place::Everywhere,
    ),
    key("q", KeyCode::Char('q'), "quit", "leave", Place::Everywhere),
    key(
        "1-6 Tab",
        KeyCode::Tab,
        "",
        "go to a page (click)",
        Place::Everywhere,
    ),
    key(
        "r R",
        KeyCode::Char('r'),
        "",
        "next or previous run",
        Place::Everywhere,
    ),
    key(
        "t",
        KeyCode::Char('t'),
        "",
        "colors: dark, light, none",
        Place::Everywhere,
    ),
    key(
        "Ctrl-L",
        KeyCode::Null,
        "",
        "redraw the screen",
        Place::Everywhere,
    ),
    key(
        "c",
        KeyCode::Char('c'),
        "checkpoint",
        "save a checkpoint now",
        Place::Run,
    ),
    key(
        "e",
        KeyCode::Char('e'),
        "stop after epoch",
        "stop after this epoch",
        Place::Run,
    ),
    key(
        "n",
        KeyCode::Char('n'),
        "stop now",
        "save and stop now",
        Place::Run,
    ),
    key(
        "d",
        KeyCode::Char('d'),
        "detach",
        "continue in the background",
        Place::Background,
    ),
    key(
        "d",
        KeyCode::Char('d'),
        "close",
        "training without the screen",
        Place::Foreground,
    ),
    key(
        "Ctrl-C",
        KeyCode::Null,
        "",
        "stop now without asking",
        Place::Own,
    ),
    key(
        "m M",
        KeyCode::Char('m'),
        "metric",
        "next or previous metric",
        CHARTS,
    ),
    key(
        "x",
        KeyCode::Char('x'),
        "axis",
        "steps, epochs or time",
        CURVES,
    ),
    key("l", KeyCode::Char('l'), "log", "logarithmic axis", CURVES),
    key(
        "s S",
        KeyCode::Char('s'),
        "smooth",
        "smoothing of drawn points",
        CURVES,
    ),
    key(
        "+ -",
        KeyCode::Char('+'),
        "zoom",
        "zoom (mouse wheel)",
        CHARTS,
    ),
    key(
        "← →",
        KeyCode::Right,
        "cursor",
        "cursor (click); Esc: none",
        CHARTS,
    ),
    key(
        "f",
        KeyCode::Char('f'),
        "follow",
        "follow the end, or show all",
        CHARTS,
    ),
    key(
        "v",
        KeyCode::Char('v'),
        "curves",
        "all, training, validation",
        CURVES,
    ),
    key(
        "< >",
        KeyCode::Char('>'),
        "pan",
        "pan (drag; Shift ← →)",
        CHARTS,
    ),
    key(
        "b",
        KeyCode::Char('b'),
        "best",
        "cursor to the best point",
        CHARTS,
    ),
    key(
        "↑ ↓",
        KeyCode::Down,
        "class",
        "choose a class (click)",
        CLASSES,
    ),
    key(
        "o",
        KeyCode::Char('o'),
        "order",
        "order of the table",
        CLASSES,
    ),
    key(
        "z",
        KeyCode::Char('z'),
        "fit",
        "whole matrix, or numbers",
        CLASSES,
    ),
    key(
        "[ ]",
        KeyCode::Char('['),
        "epoch",
        "earlier or later epoch",
        SCORES,
    ),
    key(
        "+ -",
        KeyCode::Char('+'),
        "size",
        "image size; ↑ ↓ scroll",
        MISTAKES,
    ),
    key(
        "← →",
        KeyCode::Right,
        "file",
        "file of another (click)",
        MISTAKES,
    ),
    key("← →", KeyCode::Right, "pane", "choose what scrolls", LOG),
    key(
        "↑ ↓",
        KeyCode::Up,
        "scroll",
        "scroll; PgUp PgDn Home End",
        LOG,
    ),
];

impl Key {
    /// Whether it does something there.
    pub(crate) fn works(&self, scope: Scope, tab: Tab) -> bool {
        match self.place {
            Place::Tabs(tabs) => tabs.contains(&tab),
            place => scope.has(place),
        }
    }
}

/// Keys for a row at the foot: those of the run and of the whole screen, or those of a page.
pub(crate) fn foot(scope: Scope, tab: Tab, of_page: bool) -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(move |key| {
        let is_of_page = matches!(key.place, Place::Tabs(_));
        is_of_page == of_page && !key.short.is_empty() && key.works(scope, tab)
    })
}
