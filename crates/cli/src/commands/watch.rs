//! `docker_delta watch`: applies what is dropped into a folder, and moves it to where one sees what became of it.
//!
//! Each package is applied by this program's own `apply`, in a process of its own: what goes wrong there, be it a lack of memory, is told of that package and
//! ends nothing else.

mod attempt;
mod events;
mod settings;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::{Duration, Instant, SystemTime};

use delta_core::error::{Error, Kind, Result};
use delta_transport::inbox::{Arrival, Copied, Diary, Drawer, Inbox};

use self::attempt::{Attempt, Outcome};
use self::events::{Event, Events, shown};
use self::settings::Settings;
use crate::arguments::Watch;
use crate::session::Session;
use crate::signals::{self, Stop};

pub(crate) fn run(session: &Session, arguments: &Watch) -> Result<()> {
    let settings = Settings::of(&session.common, arguments)?;
    let inbox = Inbox::open(&arguments.folder)?;
    settings.require_outside(&inbox)?;
    let mut watcher = Watcher {
        session,
        diary: Diary::new(settings.patience()),
        events: Events::new(session),
        attempts: Attempt::new(&session.common, &settings)?,
        stop: signals::take_over(),
        tally: Tally::default(),
        inbox,
        settings,
    };
    watcher.events.tell(&Event::Started { folder: &arguments.folder.display().to_string() })?;
    if arguments.once { watcher.once() } else { watcher.until_stopped() }
}

struct Watcher<'a> {
    session: &'a Session,
    inbox: Inbox,
    settings: Settings,
    attempts: Attempt,
    diary: Diary,
    events: Events<'a>,
    stop: &'static Stop,
    tally: Tally,
}

/// What happened so far, and what is still open.
#[derive(Debug, Default)]
struct Tally {
    done: u64,
    failed: u64,
    /// Why packages stay, by their names.
    staying: BTreeMap<OsString, Kind>,
    /// The worst of those that failed.
    worst: Option<Kind>,
}

/// How a turn of a package ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Done,
    Left,
}

impl Watcher<'_> {
    fn until_stopped(&mut self) -> Result<()> {
        while !self.stop.is_asked() {
            if self.look()? == Turn::Left && self.stop.pause(self.settings.interval) {
                break;
            }
        }
        self.events.tell(&Event::Stopped { done: self.tally.done, failed: self.tally.failed })
    }

    /// Deals with what is there. What has just come is looked at once more, for one does not see at the first look that it changes.
    fn once(&mut self) -> Result<()> {
        let mut was_settling = false;
        while !self.stop.is_asked() {
            if self.look()? == Turn::Done {
                continue;
            }
            if was_settling || !self.is_settling()? {
                break;
            }
            was_settling = true;
            self.stop.pause(self.settings.patience().settling);
        }
        self.events.tell(&Event::Stopped { done: self.tally.done, failed: self.tally.failed })?;
        if self.stop.is_asked() {
            return Err(Error::environment("it was told to stop before all packages had their turn"));
        }
        self.tally.verdict(&self.inbox)
    }

    /// Gives every package its turn that is due. Returns whether one was applied, so that others may find what they lacked.
    fn look(&mut self) -> Result<Turn> {
        let look = self.inbox.look()?;
        for passed in self.diary.note(&look, Instant::now(), SystemTime::now()) {
            self.events.tell(&Event::PassedOver { name: &shown(&passed.name), reason: passed.reason })?;
        }
        self.tally.staying.retain(|name, _| look.arrivals.iter().any(|arrival| arrival.name == *name));
        let mut turn = Turn::Left;
        for arrival in look.arrivals {
            if self.stop.is_asked() {
                return Ok(Turn::Left);
            }
            if self.diary.is_due(&arrival, Instant::now()) && self.deal_with(&arrival)? == Turn::Done {
                turn = Turn::Done;
            }
        }
        if turn == Turn::Done {
            self.diary.encourage(Instant::now());
        }
        Ok(turn)
    }

    fn is_settling(&mut self) -> Result<bool> {
        let (look, now) = (self.inbox.look()?, Instant::now());
        Ok(look.arrivals.iter().any(|arrival| self.diary.is_settling(arrival, now)))
    }

    fn deal_with(&mut self, arrival: &Arrival) -> Result<Turn> {
        self.events.tell(&Event::Applying { name: &shown(&arrival.name) })?;
        match self.tried(arrival) {
            Ok(Outcome::Applied(report)) => self.file(arrival, Drawer::Done, &report, None),
            Ok(Outcome::Refused(error)) => match self.patience_left(arrival) {
                Some(left) => {
                    self.tally.staying.insert(arrival.name.clone(), error.kind());
                    self.wait(arrival, &error.to_string(), left)
                }
                None => self.file(arrival, Drawer::Failed, &attempt::report(&error)?, Some(&error)),
            },
            Ok(Outcome::Incomplete(reason)) => {
                let left = self.patience_left(arrival).unwrap_or_default();
                self.wait(arrival, &reason, left)
            }
            Ok(Outcome::Postponed(error)) => self.postpone(arrival, &error),
            Ok(Outcome::Unfinished) => Ok(Turn::Left),
            Err(error) => {
                // `apply` has told of its own.
                self.session.terminal.error(&error);
                self.postpone(arrival, &error)
            }
        }
    }

    fn tried(&self, arrival: &Arrival) -> Result<Outcome> {
        let Copied::Whole(copy) = self.inbox.copy(arrival)? else { return Ok(Outcome::Unfinished) };
        let missing = copy.missing_volumes();
        // When they do not come, parity may do.
        if !missing.is_empty() && self.patience_left(arrival).is_some() {
            let missing = missing.join(", ");
            return Ok(Outcome::Incomplete(format!("its volumes {missing} are not there, or not wholly")));
        }
        // Keys that cannot be read say nothing about a package.
        self.settings.require_trust()?;
        self.attempts.apply(&copy, arrival, self.stop)
    }

    fn patience_left(&self, arrival: &Arrival) -> Option<Duration> {
        self.diary.patience_left(arrival, Instant::now())
    }

    fn wait(&mut self, arrival: &Arrival, reason: &str, left: Duration) -> Result<Turn> {
        if self.diary.wait(arrival, reason) {
            self.events.tell(&Event::Waiting { name: &shown(&arrival.name), reason, seconds: left.as_secs() })?;
        }
        Ok(Turn::Left)
    }

    fn postpone(&mut self, arrival: &Arrival, error: &Error) -> Result<Turn> {
        self.tally.staying.insert(arrival.name.clone(), error.kind());
        let pause = self.diary.postpone(arrival, Instant::now());
        self.events.tell(&Event::Postponed {
            name: &shown(&arrival.name),
            error: error.into(),
            seconds: pause.as_secs(),
        })?;
        Ok(Turn::Left)
    }

    fn file(&mut self, arrival: &Arrival, drawer: Drawer, report: &str, error: Option<&Error>) -> Result<Turn> {
        let filed = match self.inbox.file(arrival, drawer, report) {
            Ok(filed) => filed,
            Err(error) => {
                self.session.terminal.error(&error);
                return self.postpone(arrival, &error);
            }
        };
        self.tally.staying.remove(&arrival.name);
        let name = &shown(&arrival.name);
        for left in &filed.left {
            let reason = "it was replaced meanwhile, and is taken as another one";
            self.events.tell(&Event::Waiting { name: left, reason, seconds: 0 })?;
        }
        match error {
            None => {
                self.tally.done += 1;
                self.events.tell(&Event::Done { name, filed: &filed, report })?;
                Ok(Turn::Done)
            }
            Some(error) => {
                self.tally.failed += 1;
                self.tally.worst = self.tally.worst.into_iter().chain([error.kind()]).max_by_key(|kind| badness(*kind));
                self.events.tell(&Event::Failed { name, filed: &filed, error: error.into() })?;
                Ok(Turn::Left)
            }
        }
    }
}

impl Tally {
    /// An error of the worst kind, if there was one.
    fn verdict(&self, inbox: &Inbox) -> Result<()> {
        let worst = self.staying.values().copied().chain(self.worst).max_by_key(|kind| badness(*kind));
        let Some(kind) = worst else { return Ok(()) };
        let message = format!(
            "{} packages were applied, {} failed and {} stay in {}",
            self.done,
            self.failed,
            self.staying.len(),
            inbox.path().display()
        );
        let hint = match self.failed {
            0 => "what stays is tried again in the next run".to_owned(),
            _ => format!("see {}/*.error.json", inbox.path().join(Drawer::Failed.name()).display()),
        };
        Err(Error::Other { kind, message, hint: Some(hint) })
    }
}

/// The worst is what mends itself least.
const fn badness(kind: Kind) -> u8 {
    match kind {
        Kind::Environment => 0,
        Kind::Usage => 1,
        Kind::Content => 2,
        Kind::Internal => 3,
    }
}
