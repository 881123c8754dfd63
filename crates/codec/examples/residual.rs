//! What a patch between two files weighs, with and without the prediction of addresses: `residual BASE TARGET`.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for the people who work on predictions")]

use std::time::Instant;

use delta_codec::align::{Fineness, Match};
use delta_codec::patch::{self, Streams, decode, encode};
use delta_codec::{ReadAt, exec};

const LEVEL: i32 = 19;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, base, target] = arguments.as_slice() else { panic!("residual BASE TARGET") };
    let [base, target] = [base, target].map(|path| std::fs::read(path).unwrap());
    report("plain", &base, &target, &patch::no_prediction);
    let start = Instant::now();
    let Some(hint) = exec::describe(&base, &target).unwrap() else { return };
    println!("hint      {:10} bytes, {:.3} s", hint.len(), start.elapsed().as_secs_f64());
    report("predicted", &base, &target, &|matches| {
        let start = Instant::now();
        let predicted = exec::predict(base.clone(), matches, &hint);
        let seconds = start.elapsed().as_secs_f64();
        by_section(&base, &target, &predicted, matches);
        println!("          {seconds:.3} s to predict with {} matches", matches.len());
        Ok(Some(predicted))
    });
}

/// For each section of the base: bytes that differ without and with the prediction, where they do first, and for each of the target its literals.
fn by_section(base: &[u8], target: &[u8], predicted: &[u8], matches: &[Match]) {
    let place = |position: u64| usize::try_from(position).unwrap();
    for (name, span) in exec::sections(base) {
        let (mut plain, mut left, mut first) = (0, 0, Vec::new());
        for found in matches {
            let (start, end) = (place(found.base).max(span.start), place(found.base + found.length).min(span.end));
            for at in start..end.max(start) {
                let wanted = target[place(found.target) + (at - place(found.base))];
                plain += usize::from(base[at] != wanted);
                left += usize::from(predicted[at] != wanted);
                if predicted[at] != wanted && first.len() < 12 {
                    first.push(format!("{at:x}"));
                }
            }
        }
        println!("    {name:20} {:9} bytes, {plain:8} differ, {left:8} predicted: {}", span.len(), first.join(" "));
    }
    for (name, span) in exec::sections(target) {
        let covered: usize = matches
            .iter()
            .map(|found| {
                let (start, end) =
                    (place(found.target).max(span.start), place(found.target + found.length).min(span.end));
                end.saturating_sub(start)
            })
            .sum();
        if covered < span.len() {
            println!("    {name:20} {:9} literals", span.len() - covered);
        }
    }
}

fn report(label: &str, base: &dyn ReadAt, target: &Vec<u8>, prediction: &patch::Prediction<'_>) {
    let start = Instant::now();
    let mut streams = Streams::<Vec<u8>>::default();
    encode(base, target, prediction, Fineness::Every, &mut streams).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let Streams { control, gaps, values, literals } = &streams;
    let packed = [control, gaps, values, literals].map(|stream| zstd::bulk::compress(stream, LEVEL).unwrap().len());
    println!(
        "{label:9} {:10} bytes, {seconds:.3} s: control {}, gaps {}, values {} (of {}), literals {} (of {})",
        packed.iter().sum::<usize>(),
        packed[0],
        packed[1],
        packed[2],
        values.len(),
        packed[3],
        literals.len()
    );
    let mut rebuilt = Vec::new();
    let mut streams = Streams { control: &control[..], gaps: &gaps[..], values: &values[..], literals: &literals[..] };
    decode(base, ReadAt::len(target), prediction, &mut streams, &mut rebuilt).unwrap();
    assert!(rebuilt == *target);
}
