//! Getting a file from one mirror.

use crate::answer::{Body, Question};
use crate::checksum::Checksum;
use crate::client::{self, Patience};
use crate::error::{DownloadError, Problem};
use crate::part::{Note, PartialFile};
use crate::progress::{Progress, Watch};
use crate::transfer::{Event, Transfer};

/// How often one mirror is asked at most, however little it gives each time.
const MOST_TRIES: u32 = 100;

/// Why a mirror did not give the file.
pub(crate) enum Trouble {
    /// Another mirror may.
    Mirror(Problem),
    /// None can.
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

/// How one question to the mirror ended.
enum Ending {
    /// With the last byte.
    Whole,
    /// Too early, but what has arrived is of use.
    Cut(Problem),
    /// What was there was of no use.
    Unfit,
}

/// What a mirror has said so far.
#[derive(Default)]
struct Said {
    /// Whether it has given anything of the file.
    answered: bool,
    /// Bytes of the whole file.
    total: Option<u64>,
}

/// One mirror, and what it is asked for.
pub(crate) struct Mirror<'a> {
    /// Its address of the file.
    pub(crate) url: &'a str,
    /// What the file has to have.
    pub(crate) checksum: &'a Checksum,
    /// Most bytes that the file may have.
    pub(crate) max_bytes: u64,
    /// How long it is waited for.
    pub(crate) patience: &'a Patience,
}

impl Mirror<'_> {
    /// Fills the part until it is the file. Afterwards, with an error, what the part holds is of use
    /// for other mirrors and another time.
    ///
    /// A mirror that breaks off is asked for the rest, again and again while it gives more. One that
    /// does not answer at all is asked once. If it turns out that what was there before does not
    /// fit, the mirror may start again with nothing, once.
    pub(crate) fn load(&self, part: &mut PartialFile, watch: &mut Watch<'_>) -> Result<(), Trouble> {
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
                            reason: "parts that do not belong together".to_owned(),
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

    /// Whether the part is the file.
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

    /// Asks once, for what the part does not have yet.
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
