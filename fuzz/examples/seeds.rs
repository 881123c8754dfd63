//! Writes the sound inputs of a target into a folder: `seeds TARGET DIR`.

#![allow(clippy::disallowed_methods, reason = "it touches the world")]

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [target, folder] = arguments.as_slice() else {
        return Err(std::io::Error::other("usage: seeds TARGET DIR"));
    };
    for (number, seed) in delta_fuzz::seeds::of(target).into_iter().enumerate() {
        std::fs::write(format!("{folder}/seed-{number}"), seed)?;
    }
    Ok(())
}
