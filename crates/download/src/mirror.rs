//! Downloads a file from one mirror.

use crate::answer::{Body, Question};
use crate::checksum::Checksum;
use crate::client::{self, Patience};
use crate::error::{DownloadError, Problem};
use crate::part::{Note, PartialFile};
use crate::progress::{Progress, Watch};
use crate::transfer::{Event, Transfer};

/// Maximum number of requests to one mirror, regardless of how little each one returns.
const MOST_TRIES: u32 = 100;

/// Reason why a mirror did not return the file.
pub(crate) enum Trouble {
    /// A problem with this mirror; another mirror may work.
    Mirror(Problem),
    /// A local problem that affects all mirrors.
    Here(DownloadError),
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self::Mirror(problem)
    }
}

impl From<DownloadError> for Trouble {
    fn from(error: DownloadError) -> Self {
        Self::Here(error)
    }
}

/// Outcome of one request to the mirror.
enum Ending {
    /// The last byte arrived.
    Whole,
    /// The response ended early, but the received bytes are usable.
    Cut(Problem),
    /// The existing bytes are unusable.
    Unfit,
}

/// Information reported by a mirror so far.
#[derive(Default)]
struct Said {
    /// Whether it has returned any part of the file.
    answered: bool,
    /// Size of the whole file in bytes.
    total: Option<u64>,
}

/// A mirror and the requirements for the file.
pub(crate) struct Mirror<'a> {
    /// URL of the file.
    pub(crate) url: &'a str,
    /// Expected checksum.
    pub(crate) checksum: &'a Checksum,
    /// Maximum size of the file in bytes.
    pub(crate) max_bytes: u64,
    /// Timeouts and retries.
    pub(crate) patience: &'a Patience,
}

impl Mirror<'_> {
    /// Extends the partial file until it is complete. After an error, its bytes are still usable
    /// for other mirrors and later attempts.
    ///
    /// If a mirror breaks off, the rest is requested again as long as more bytes arrive. A mirror
    /// that does not respond at all is tried only once. If the existing bytes turn out not to
    /// match, the mirror may start from the beginning, once.
    pub(crate) fn load(
        &self,
        part: &mut PartialFile,
        watch: &mut Watch<'_>,
    ) -> Result<(), Trouble> {
        let mut said = Said::default();
        let mut may_start_again = true;
        let mut longest = 0;
        let mut in_a_row = 0;
        for _ in 0..MOST_TRIES {
            let resumed = part.length() > 0;
            let problem = match self.ask(part, &mut said, watch)? {
                Ending::Whole => match self.check(part) {
                    Ok(()) => return Ok(()),
                    Err(problem) => {
                        part.restart()?;
                        if !(resumed && may_start_again) {
                            return Err(problem.into());
                        }
                        may_start_again = false;
                        longest = 0;
                        continue;
                    }
                },
                Ending::Unfit => {
                    part.restart()?;
                    if !may_start_again {
                        return Err(Problem::Answer {
                            reason: "its parts do not belong together".to_owned(),
                        }
                        .into());
                    }
                    may_start_again = false;
                    longest = 0;
                    continue;
                }
                Ending::Cut(problem) => problem,
            };
            if part.length() > longest {
                longest = part.length();
                in_a_row = 0;
            }
            in_a_row += 1;
            if !said.answered || in_a_row >= self.patience.tries {
                return Err(problem.into());
            }
            let progress = Progress::Receiving {
                received: part.length(),
                total: said.total,
            };
            watch.pause(self.patience.pause * (1 << (in_a_row - 1)), progress)?;
        }
        Err(cut(part, said.total).into())
    }

    /// Checks that the partial file is the complete file.
    fn check(&self, part: &PartialFile) -> Result<(), Problem> {
        let sha256 = part.sha256();
        if self.checksum.matches(&sha256) {
            return Ok(());
        }
        Err(Problem::Checksum {
            expected: self.checksum.shown(),
            found: self.checksum.same_digits(&sha256),
        })
    }

    /// Sends one request for the missing bytes.
    fn ask(
        &self,
        part: &mut PartialFile,
        said: &mut Said,
        watch: &mut Watch<'_>,
    ) -> Result<Ending, Trouble> {
        let offset = part.length();
        watch.say(Progress::Receiving {
            received: offset,
            total: said.total,
        })?;
        let validator = part.validator(self.url).map(str::to_owned);
        let question = Question {
            offset,
            validator: validator.as_deref(),
            max_bytes: self.max_bytes,
        };
        let agent = client::agent(self.url, self.patience)?;
        let transfer = Transfer::start(agent, self.url, offset, question.validator)?;
        loop {
            match transfer.next() {
                None => {}
                Some(Event::Head(head)) => {
                    said.total = match head.body(&question) {
                        Ok(Body::Whole { total }) => {
                            if offset > 0 {
                                part.restart()?;
                            }
                            total
                        }
                        Ok(Body::Rest { total }) => total,
                        Ok(Body::Unfit) => return Ok(Ending::Unfit),
                        Err(problem @ Problem::Status { .. }) => return Ok(Ending::Cut(problem)),
                        Err(problem) => return Err(problem.into()),
                    };
                    said.answered = true;
                    part.set_note(head.validator.map(|validator| Note {
                        url: self.url.to_owned(),
                        validator,
                    }))?;
                }
                Some(Event::Bytes(bytes)) => {
                    let limit = said.total.unwrap_or(self.max_bytes);
                    if bytes.len() as u64 > limit.saturating_sub(part.length()) {
                        part.restart()?;
                        return Err(Problem::TooLong { limit }.into());
                    }
                    part.append(&bytes)?;
                }
                Some(Event::End) if said.total.is_none_or(|total| part.length() == total) => {
                    return Ok(Ending::Whole);
                }
                Some(Event::End) => return Ok(Ending::Cut(cut(part, said.total))),
                Some(Event::Failed(Problem::Connection { .. })) if said.answered => {
                    return Ok(Ending::Cut(cut(part, said.total)));
                }
                Some(Event::Failed(problem)) => {
                    let problem = client::blame_proxy(problem, self.url, self.patience);
                    return Ok(Ending::Cut(problem));
                }
            }
            watch.say(Progress::Receiving {
                received: part.length(),
                total: said.total,
            })?;
        }
    }
}

fn cut(part: &PartialFile, total: Option<u64>) -> Problem {
    Problem::Cut {
        received: part.length(),
        total,
    }
}
