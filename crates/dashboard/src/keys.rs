//! All keys: name, action and scope.

use crossterm::event::KeyCode;

use crate::mode::{Mode, Scope};
use crate::state::Tab;
use KeyScope::{Background, Everywhere, Foreground, Own, Run};

/// The scope of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyScope {
    Everywhere,
    /// If a run can be controlled: the dashboard's own, or one that another program is training.
    Run,
    /// If the dashboard belongs to a run.
    Own,
    /// If the dashboard belongs to a run that can continue in the background.
    Background,
    /// If the dashboard belongs to a run that cannot continue in the background.
    Foreground,
    /// On these pages of [`Tab::ALL`].
    Tabs(&'static [Tab]),
}

impl Scope {
    /// Returns whether keys of this scope work on any page.
    pub(crate) fn has(self, place: KeyScope) -> bool {
        let is_own = self.mode == Mode::Live;
        match place {
            KeyScope::Everywhere => true,
            KeyScope::Run => self.controls,
            KeyScope::Own => is_own,
            KeyScope::Background => is_own && self.detaches,
            KeyScope::Foreground => is_own && !self.detaches,
            KeyScope::Tabs(_) => false,
        }
    }
}

/// A key, or several related ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub shown: &'static str,
    /// Text at the foot; empty if it is not shown there.
    pub short: &'static str,
    /// Text on the help page.
    pub long: &'static str,
    /// The key that a click on the foot presses.
    pub code: KeyCode,
    pub place: KeyScope,
}

const fn key(
    shown: &'static str,
    code: KeyCode,
    short: &'static str,
    long: &'static str,
    place: KeyScope,
) -> Key {
    Key {
        shown,
        short,
        long,
        code,
        place,
    }
}

/// Returns the key of a character, the first one of `shown`.
const fn letter(
    shown: &'static str,
    short: &'static str,
    long: &'static str,
    place: KeyScope,
) -> Key {
    let code = KeyCode::Char(shown.as_bytes()[0] as char);
    key(shown, code, short, long, place)
}

pub(crate) const CHARTS: KeyScope = KeyScope::Tabs(&[Tab::Charts]);
pub(crate) const CURVES: KeyScope = KeyScope::Tabs(&[Tab::Overview, Tab::Charts]);
pub(crate) const CLASSES: KeyScope = KeyScope::Tabs(&[Tab::Classes]);
pub(crate) const MISTAKES: KeyScope = KeyScope::Tabs(&[Tab::Mistakes]);
pub(crate) const SCORES: KeyScope = KeyScope::Tabs(&[Tab::Classes, Tab::Mistakes]);
pub(crate) const LOG: KeyScope = KeyScope::Tabs(&[Tab::Log]);

/// All keys, in the order of the help page.
pub(crate) const KEYS: [Key; 30] = [
    letter("?", "help", "this page", Everywhere),
    letter("q", "quit", "leave", Everywhere),
    key(
        "1-6 Tab",
        KeyCode::Tab,
        "",
        "go to a page (click)",
        Everywhere,
    ),
    letter("r R", "", "next or previous run", Everywhere),
    letter("t", "", "colors: dark, light, none", Everywhere),
    key("Ctrl-L", KeyCode::Null, "", "redraw the screen", Everywhere),
    letter("c", "checkpoint", "save a checkpoint now", Run),
    letter("e", "stop after epoch", "stop after this epoch", Run),
    letter("n", "stop now", "save and stop now", Run),
    letter("d", "detach", "continue in the background", Background),
    letter("d", "close", "training without the screen", Foreground),
    key("Ctrl-C", KeyCode::Null, "", "stop now without asking", Own),
    letter("m M", "metric", "next or previous metric", CHARTS),
    letter("x", "axis", "steps, epochs or time", CURVES),
    letter("l", "log", "logarithmic axis", CURVES),
    letter("s S", "smooth", "smoothing of drawn points", CURVES),
    letter("+ -", "zoom", "zoom (mouse wheel)", CHARTS),
    key(
        "← →",
        KeyCode::Right,
        "cursor",
        "cursor (click); Esc: none",
        CHARTS,
    ),
    letter("f", "follow", "follow the end, or show all", CHARTS),
    letter("v", "curves", "all, training, validation", CURVES),
    key(
        "< >",
        KeyCode::Char('>'),
        "pan",
        "pan (drag; Shift ← →)",
        CHARTS,
    ),
    letter("b", "best", "cursor to the best point", CHARTS),
    key(
        "↑ ↓",
        KeyCode::Down,
        "class",
        "choose a class (click)",
        CLASSES,
    ),
    letter("o", "order", "order of the table", CLASSES),
    letter("z", "fit", "whole matrix, or numbers", CLASSES),
    letter("[ ]", "epoch", "earlier or later epoch", SCORES),
    letter("+ -", "size", "image size; ↑ ↓ scroll", MISTAKES),
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
    /// Returns whether the key works there.
    pub(crate) fn works(&self, scope: Scope, tab: Tab) -> bool {
        match self.place {
            KeyScope::Tabs(tabs) => tabs.contains(&tab),
            place => scope.has(place),
        }
    }
}

/// Returns the keys for a row at the foot: those of a page, or those of the run and the whole
/// screen.
pub(crate) fn foot(scope: Scope, tab: Tab, of_page: bool) -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(move |key| {
        let is_of_page = matches!(key.place, KeyScope::Tabs(_));
        is_of_page == of_page && !key.short.is_empty() && key.works(scope, tab)
    })
}

/// Returns the lines of the help page; headings have no key.
pub(crate) fn help_lines(scope: Scope) -> Vec<(&'static str, &'static str)> {
    let group = |heading: &'static str, keys: &mut dyn Iterator<Item = &'static Key>| {
        let mut lines = vec![(heading, "")];
        lines.extend(keys.map(|key| (key.shown, key.long)));
        lines
    };
    let mut lines = Vec::new();
    if scope.controls {
        let is_of_run = |key: &&Key| key.place != KeyScope::Everywhere && scope.has(key.place);
        let mut run = KEYS.iter().filter(is_of_run);
        lines.extend(group("The run", &mut run));
    }
    let mut everywhere = KEYS.iter().filter(|key| key.place == KeyScope::Everywhere);
    lines.extend(group("Everywhere", &mut everywhere));
    for (heading, place) in [
        ("Overview and charts", CURVES),
        ("Charts", CHARTS),
        ("Classes", CLASSES),
        ("Classes and mistakes", SCORES),
        ("Mistakes", MISTAKES),
        ("Log", LOG),
    ] {
        let mut keys = KEYS.iter().filter(|key| key.place == place);
        lines.extend(group(heading, &mut keys));
    }
    lines
}
