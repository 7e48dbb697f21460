//! Log messages of libraries.

use std::fmt::Debug;
use std::path::Path;
use std::sync::Mutex;

use anyhow::Context as _;
use events::Level;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, fmt};
use train::Teller;

/// Sends log messages to a file and to the followers of the run, but never to the terminal.
pub(crate) fn log_to(path: &Path, teller: Option<Teller>) -> anyhow::Result<()> {
    let file =
        files::append_file(path).with_context(|| format!("cannot write {}", path.display()))?;
    let file = fmt::layer().with_ansi(false).with_writer(Mutex::new(file));
    tracing_subscriber::registry()
        .with(teller.map(Told))
        .with(file)
        .with(LevelFilter::WARN)
        .try_init()
        .map_err(|error| anyhow::anyhow!("cannot start the log: {error}"))
}

/// Turns log records into messages.
struct Told(Teller);

impl Layer<Registry> for Told {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, Registry>) {
        let level = match *event.metadata().level() {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warning,
            _ => Level::Info,
        };
        let mut text = Text::default();
        event.record(&mut text);
        self.0.say(level, text.0);
    }
}

/// Returns the text of a record.
#[derive(Default)]
struct Text(String);

impl tracing::field::Visit for Text {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
