//! From the command line to the exit code.

use std::any::Any;
use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use clap::Parser;
use delta_core::error::{Error, Result};
use delta_envelope::self_contained::MARK;
use delta_transport::destination;

use crate::arguments::{ApplierArguments, ApplierCommand, Arguments, Command, Common};
use crate::commands::{
    apply, compare, create, doctor, file, info, inspect, keygen, list, pull, push, sign, verify, volumes, watch,
};
use crate::file_arguments::{FileArguments, FileCommand};
use crate::session::Session;
use crate::terminal::{self, Loudness, Terminal};
use crate::{failure, pages, plugin, stopping};

/// Runs `docker_delta`.
pub fn docker_delta(arguments: Vec<OsString>) -> ExitCode {
    // By this it is known that the program can stand before a package.
    std::hint::black_box(MARK);
    guarded(&arguments.clone(), || {
        if let Some(answer) = plugin::answer(&arguments) {
            return Ok(answer);
        }
        let (own, engine_arguments) = plugin::split(arguments);
        let Arguments { mut common, command } = Arguments::try_parse_from(own)?;
        common.engine_arguments = engine_arguments;
        Ok(dispatch(common, command))
    })
}

/// Runs `file_delta`.
pub fn file_delta(arguments: Vec<OsString>) -> ExitCode {
    guarded(&arguments.clone(), || {
        let FileArguments { common, command } = FileArguments::try_parse_from(arguments)?;
        let common = common.into_common();
        Ok(Session::new(common).and_then(|session| {
            let done = match command {
                FileCommand::Create(arguments) => file::create(&session, &arguments),
                FileCommand::Apply(arguments) => file::apply(&session, &arguments),
            };
            done.map_err(|error| session.explained(error))
        }))
    })
}

/// Runs `docker_delta-applier`.
pub fn applier(arguments: Vec<OsString>) -> ExitCode {
    std::hint::black_box(MARK);
    guarded(&arguments.clone(), || {
        let ApplierArguments { common, command } = ApplierArguments::try_parse_from(arguments)?;
        Ok(Session::new(common).and_then(|session| {
            let done = match command {
                ApplierCommand::Apply(arguments) => apply::run(&session, &arguments),
                ApplierCommand::List(arguments) => list::run(&session, &arguments),
                ApplierCommand::Info(arguments) => info::run(&session, &arguments),
                ApplierCommand::Verify(arguments) => verify::run(&session, &arguments),
            };
            done.map_err(|error| session.explained(error))
        }))
    })
}

fn dispatch(common: Common, command: Command) -> Result<()> {
    match command {
        Command::Completions(arguments) => return pages::completions(arguments.shell),
        Command::Man(arguments) => return pages::man(&arguments.folder),
        _ => {}
    }
    let session = Session::new(common)?;
    let done = match command {
        Command::Create(arguments) => create::run(&session, &arguments),
        Command::Apply(arguments) => apply::run(&session, &arguments),
        Command::Watch(arguments) => watch::run(&session, &arguments),
        Command::Push(arguments) => push::run(&session, &arguments),
        Command::Pull(arguments) => pull::run(&session, &arguments),
        Command::List(arguments) => list::run(&session, &arguments),
        Command::Info(arguments) => info::run(&session, &arguments),
        Command::Verify(arguments) => verify::run(&session, &arguments),
        Command::Sign(arguments) => sign::run(&session, &arguments),
        Command::Keygen(arguments) => keygen::run(&session, &arguments),
        Command::Split(arguments) => volumes::split(&session, &arguments),
        Command::Join(arguments) => volumes::join(&session, &arguments),
        Command::Repair(arguments) => volumes::repair(&session, &arguments),
        Command::Inspect(arguments) => inspect::run(&session, &arguments),
        Command::Compare(arguments) => compare::run(&session, &arguments),
        Command::Doctor => doctor::run(&session),
        Command::Completions(_) | Command::Man(_) => Ok(()),
    };
    done.map_err(|error| session.explained(error))
}

/// Turns whatever happens into an exit code: errors, panics, and signals.
fn guarded(arguments: &[OsString], work: impl FnOnce() -> std::result::Result<Result<()>, clap::Error>) -> ExitCode {
    stopping::clean_up();
    let words = arguments.to_vec();
    panic::set_hook(Box::new(move |panic| {
        // A program that is built without unwinding, as released ones are, ends behind this hook, and catches nothing.
        if cfg!(panic = "abort") {
            tell(&fault(panic.payload()), &words);
            #[expect(clippy::exit, reason = "there is no way back from here")]
            std::process::exit(1);
        }
    }));
    let error = match panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(Ok(()))) => return ExitCode::SUCCESS,
        Ok(Ok(Err(error))) => error,
        Ok(Err(typed)) => match failure::usage(&typed) {
            Some(error) => error,
            None => return show(&typed),
        },
        Err(panic) => fault(panic.as_ref()),
    };
    tell(&error, arguments);
    failure::exit_code(&error)
}

/// What a panic is to the user. What has no final name yet is removed.
fn fault(panic: &(dyn Any + Send)) -> Error {
    destination::remove_pending();
    let said = panic.downcast_ref::<&str>().map(ToString::to_string);
    let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    Error::internal(format!("a fault of this program: {said}"))
        .with_hint("nothing was left half done; please report it with the command and this message")
}

fn tell(error: &Error, arguments: &[OsString]) {
    Terminal::new(Loudness::Usual).error(error);
    // Scripts that asked for JSON get it whatever happens, even where their words could not be read.
    if arguments.iter().take_while(|word| *word != "--").any(|word| word == "--json") {
        // Whoever closed standard output does not wait for it.
        let _ = terminal::print_json_error(&failure::report(error));
    }
}

/// Help and version.
fn show(asked: &clap::Error) -> ExitCode {
    // A closed stream leaves nobody to be told.
    let _ = asked.print();
    ExitCode::from(u8::try_from(asked.exit_code()).unwrap_or(2))
}
