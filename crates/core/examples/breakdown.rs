//! Shows what the recipes of an image are made of: `breakdown LEVEL BASE_FOLDER TARGET_FOLDER`, each with layers as `*.tar`.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for the people who work on recipes")]

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use delta_codec::compress::{Compression, Encoder, Level};
use delta_codec::{MemoryScratch, ReadAt, Reader};
use delta_core::digest::{DiffId, Hasher};
use delta_core::job::choices::CompressionOptions;
use delta_core::job::context::Context;
use delta_core::job::progress::Silent;
use delta_core::layer::matcher::Library;
use delta_core::layer::recipe::{decode, encode};
use delta_core::package::features::RecipeStream;

struct OnDisk(File, u64);

impl ReadAt for OnDisk {
    fn len(&self) -> u64 {
        self.1
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }
}

fn layers(folder: &str) -> Vec<(String, Arc<dyn ReadAt>)> {
    let mut paths: Vec<_> = Path::new(folder).read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "tar"));
    let open = |path: &std::path::PathBuf| {
        let file = File::open(path).unwrap();
        let length = file.metadata().unwrap().len();
        let bytes: Arc<dyn ReadAt> = Arc::new(OnDisk(file, length));
        (path.file_name().unwrap().to_string_lossy().into_owned(), bytes)
    };
    paths.iter().map(open).collect()
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, level, base, target] = arguments.as_slice() else { panic!("breakdown LEVEL BASE_FOLDER TARGET_FOLDER") };
    let level = Level::new(Compression::Zstd, level.parse().unwrap()).unwrap();
    let compression = CompressionOptions { level, ..CompressionOptions::usual(Compression::Zstd) };
    let context = Context { scratch: &MemoryScratch, progress: &Silent, cache: None };
    let start = Instant::now();
    let (base, target) = (layers(base), layers(target));
    let digest = |(_, layer): &(String, Arc<dyn ReadAt>)| DiffId::of_reader(&mut Reader::new(layer)).unwrap().0;
    let known: Vec<_> = base.iter().map(digest).collect();
    println!("{:6.2} s hashed bases", start.elapsed().as_secs_f64());
    let changed: Vec<_> =
        target.iter().map(|layer| (digest(layer), layer)).filter(|(id, _)| !known.contains(id)).collect();
    println!("{:6.2} s hashed targets", start.elapsed().as_secs_f64());
    let all: Vec<_> = base.iter().map(|(_, layer)| layer.clone()).collect();
    let all = all.into_iter().chain(changed.iter().map(|(_, (_, layer))| layer.clone())).collect::<Vec<_>>();
    let library = Library::new(all.clone()).unwrap();
    println!("{:6.2} s indexed", start.elapsed().as_secs_f64());
    let mut totals = [(0, 0); RecipeStream::ALL.len()];
    for (number, (id, (name, layer))) in (base.len()..).zip(&changed) {
        let recipe = encode(&library, number, compression, context).unwrap();
        println!("{:6.2} s encoded {name} from {:?}", start.elapsed().as_secs_f64(), recipe.bases);
        for ((stream, bytes), total) in RecipeStream::ALL.iter().zip(&recipe.streams).zip(&mut totals) {
            let mut out = Encoder::new(Vec::new(), Compression::Zstd, level, Some(bytes.len())).unwrap();
            io::copy(&mut Reader::new(bytes), &mut out).unwrap();
            let packed = out.finish().unwrap().len();
            *total = (total.0 + bytes.len(), total.1 + packed);
            println!("    {:9} {:12} {packed:10}", stream.name(), bytes.len());
        }
        println!("{:6.2} s compressed", start.elapsed().as_secs_f64());
        let bases: Vec<_> = recipe.bases.iter().map(|base| all[*base].clone()).collect();
        let mut hasher = Hasher::new(io::sink());
        decode(&bases, &recipe.streams, recipe.extent(layer.len()), &MemoryScratch, &mut hasher).unwrap();
        hasher.flush().unwrap();
        assert_eq!(DiffId::from(hasher.finish().1), *id);
        println!("{:6.2} s proved", start.elapsed().as_secs_f64());
    }
    for (stream, (plain, packed)) in RecipeStream::ALL.iter().zip(totals) {
        println!("{:13} {plain:12} {packed:10}", stream.name());
    }
    println!("total {}", totals.iter().map(|(_, packed)| packed).sum::<usize>());
}
