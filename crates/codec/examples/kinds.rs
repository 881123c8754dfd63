//! Which kinds of files hold the bytes of a package: `kinds OLD_FOLDER NEW_FOLDER`, each an unpacked image. A file is patched from the one of its
//! path, as a package does it; what is at no path of the old folder is new. Not seen here: files that moved, and what is compressed.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for the people who work on sizes")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use delta_codec::align::{Fineness, Match};
use delta_codec::exec;
use delta_codec::patch::{Streams, encode};

const LEVEL: i32 = 9;

/// The four streams of patches, and what is new.
type Of = (Streams<Vec<u8>>, Vec<u8>);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, old, new] = arguments.as_slice() else { panic!("kinds OLD_FOLDER NEW_FOLDER") };
    let (old, new) = (Path::new(old), Path::new(new));
    let mut kinds = BTreeMap::<String, Of>::new();
    let mut paths = Vec::new();
    walk(new, &mut paths);
    for path in paths {
        let target = fs::read(&path).unwrap();
        let base = fs::read(old.join(path.strip_prefix(new).unwrap())).ok();
        if base.as_ref() == Some(&target) {
            continue;
        }
        let (streams, contents) = kinds.entry(kind(&path, &target)).or_default();
        let Some(base) = base else {
            contents.extend(target);
            continue;
        };
        let hint = exec::describe(&base, &target).unwrap();
        let prediction = |matches: &[Match]| Ok(hint.as_ref().map(|hint| exec::predict(base.clone(), matches, hint)));
        encode(&base, &target, &prediction, Fineness::Fourth, streams).unwrap();
    }
    print(&kinds);
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => walk(&entry.path(), paths),
            kind if kind.is_file() => paths.push(entry.path()),
            _ => {}
        }
    }
}

fn kind(path: &Path, content: &[u8]) -> String {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    if content.starts_with(b"\x7fELF") { "ELF".to_owned() } else { format!(".{extension}") }
}

/// A row for each kind, the largest first: bytes of each stream, compressed.
fn print(kinds: &BTreeMap<String, Of>) {
    let mut rows: Vec<_> = kinds
        .iter()
        .map(|(kind, (streams, contents))| {
            let Streams { control, gaps, values, literals } = streams;
            let packed = [control, gaps, values, literals, contents]
                .map(|stream| zstd::bulk::compress(stream, LEVEL).unwrap().len());
            (packed.iter().sum::<usize>(), kind, packed)
        })
        .collect();
    rows.sort_by_key(|(sum, ..)| std::cmp::Reverse(*sum));
    println!("| kind | control | gaps | values | literals | contents | all |\n|---|---:|---:|---:|---:|---:|---:|");
    for (sum, kind, [control, gaps, values, literals, contents]) in rows {
        println!("| `{kind}` | {control} | {gaps} | {values} | {literals} | {contents} | {sum} |");
    }
}
