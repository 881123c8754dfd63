//! `docker delta …`: the program as a plugin of Docker's client, which finds it under the name `docker-delta`.

use std::ffi::OsString;

use clap::CommandFactory;

use crate::arguments::Arguments;
use crate::{complete, terminal};

/// The word that Docker's client puts before the plugin's own arguments.
const WORD: &str = "delta";

/// What the client asks of a plugin first (docker/cli, cli-plugins/metadata).
const METADATA_COMMAND: &str = "docker-cli-plugin-metadata";

/// What the client asks when the user presses the completion key: with descriptions, and without.
const COMPLETION_COMMANDS: [&str; 2] = ["__complete", "__completeNoDesc"];

/// Answers the client's question, if this call is one.
pub(crate) fn answer(arguments: &[OsString]) -> Option<delta_core::Result<()>> {
    let asked = arguments.get(1)?;
    if COMPLETION_COMMANDS.iter().any(|command| asked == command) {
        let words = arguments[2..].iter().map(|word| word.to_string_lossy().into_owned());
        let words: Vec<String> = words.skip_while(|word| word != WORD).skip(1).collect();
        let mut root = Arguments::command();
        root.build();
        return Some(terminal::print(&complete::answer(&root, &words)));
    }
    (asked == METADATA_COMMAND).then(|| {
        terminal::print_json(&serde_json::json!({
            "SchemaVersion": "0.1.0",
            "Vendor": "docker_delta",
            "Version": env!("CARGO_PKG_VERSION"),
            "ShortDescription": "Move images across an air gap as small, exact packages",
        }))
    })
}

/// Splits a call as a plugin into our arguments and the client's global ones, which come before the word.
pub(crate) fn split(arguments: Vec<OsString>) -> (Vec<OsString>, Vec<String>) {
    let name = arguments.first().map(std::path::Path::new).and_then(|path| path.file_stem()).map(ToOwned::to_owned);
    let is_plugin = name.is_some_and(|name| name == "docker-delta");
    let word = arguments.iter().position(|argument| argument == WORD).filter(|_| is_plugin);
    match word {
        Some(word) => {
            let globals = arguments[1..word].iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
            let own = [arguments[0].clone()].into_iter().chain(arguments[word + 1..].iter().cloned()).collect();
            (own, globals)
        }
        None => (arguments, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn global_options_are_kept_for_the_engine() {
        let (own, globals) = split(words("/usr/libexec/docker/cli-plugins/docker-delta --context lab delta list p"));
        assert_eq!(own[1..], words("list p"));
        assert_eq!(globals, ["--context", "lab"]);
        let (own, globals) = split(words("docker_delta create delta p"));
        assert_eq!((own.len(), globals.len()), (4, 0));
    }
}
