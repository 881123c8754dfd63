//! Completion as Docker's client asks a plugin for it: the words so far, and one answer a line (docker/cli, cli-plugins; the
//! protocol is cobra's `__completeNoDesc`).

use clap::{Arg, ArgAction, Command};

/// Offer these, and nothing else (cobra's ShellCompDirectiveNoFileComp).
const NO_FILES: u8 = 4;
/// Offer these, else files (cobra's ShellCompDirectiveDefault).
const FILES: u8 = 0;

/// The answer to `words`, the last of which is being typed.
pub(crate) fn answer(root: &Command, words: &[String]) -> String {
    let (typed, before) = words.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
    let command = before.iter().fold(root, |command, word| command.find_subcommand(word).unwrap_or(command));
    let (offers, directive) = match before.last().and_then(|word| valued(command, word)) {
        Some(option) => (values(option), if values(option).is_empty() { FILES } else { NO_FILES }),
        None if typed.starts_with('-') => (options(command), NO_FILES),
        None if command.has_subcommands() => (subcommands(command), NO_FILES),
        None => (Vec::new(), FILES),
    };
    let fitting = offers.into_iter().filter(|offer| offer.starts_with(typed));
    fitting.map(|offer| offer + "\n").chain([format!(":{directive}\n")]).collect()
}

/// The option that `word` names, if a value must follow.
fn valued<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    let is_named = |option: &&Arg| {
        let long = option.get_long().is_some_and(|long| word.strip_prefix("--") == Some(long));
        long || option
            .get_short()
            .is_some_and(|short| word.strip_prefix('-').is_some_and(|word| word.chars().eq([short])))
    };
    let takes_value = |option: &&Arg| matches!(option.get_action(), ArgAction::Set | ArgAction::Append);
    command.get_arguments().filter(|argument| !argument.is_positional()).filter(takes_value).find(is_named)
}

fn values(option: &Arg) -> Vec<String> {
    option.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect()
}

fn options(command: &Command) -> Vec<String> {
    command.get_arguments().filter_map(Arg::get_long).map(|long| format!("--{long}")).collect()
}

fn subcommands(command: &Command) -> Vec<String> {
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    shown.map(|command| command.get_name().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::arguments::Arguments;

    fn ask(words: &str) -> String {
        let mut root = Arguments::command();
        root.build();
        answer(&root, &words.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn commands_options_and_values_are_offered() {
        assert_eq!(ask("cr"), "create\n:4\n");
        assert_eq!(ask("create --meth"), "--method\n:4\n");
        assert_eq!(ask("create --method "), "auto\nxdelta3\nbsdiff\nlayer\n:4\n");
        assert_eq!(ask("create -m x"), "xdelta3\n:4\n");
        assert_eq!(ask("create -v "), ":0\n", "a flag takes no value; images and files follow");
        assert_eq!(ask("apply --base "), ":0\n", "a value of any kind may be a file");
        assert!(ask("").starts_with("create\napply\nwatch\npush\npull\nlist\n"));
    }
}
