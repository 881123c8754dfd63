//! pigz, with any number of threads.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use super::origin::Hand;
use super::{Candidate, Encoder, Family, Format, Origin, copy, front};
use crate::ReadAt;
use crate::flate::pigz::{self, Chaining};

pub(super) static FAMILY: Family =
    Family { number: 2, feature: "gzip-pigz-1", format: Format::Deflate, candidates, take };

/// The KiB of a block when nobody asks for others.
const BLOCK: u16 = 128;

struct Pigz(pigz::Settings);

fn candidates(origin: &Origin) -> Vec<Candidate> {
    use Chaining::{Dictionary, Independent, Serial};
    if !origin.is_gzip() {
        return Vec::new();
    }
    let candidate = |level: u8, (chaining, is_rsyncable, unusual): (Chaining, bool, u8)| {
        let settings = pigz::Settings::new(level, BLOCK, chaining, is_rsyncable)?;
        let doubt = 4 + origin.doubt_of_level(level)? + unusual + origin.doubt_of_hands(&[Hand::Other]);
        Some(Candidate { doubt, encoder: Arc::new(Pigz(settings)) })
    };
    let ways = [(Dictionary, false, 0), (Serial, false, 2), (Independent, false, 4), (Dictionary, true, 4)];
    let all = (1..=9).flat_map(|level| ways.map(|way| candidate(level, way)));
    all.flatten().collect()
}

fn take(bytes: &mut &[u8]) -> Option<Arc<dyn Encoder>> {
    Some(Arc::new(Pigz(pigz::Settings::from_bytes(front(bytes)?)?)))
}

impl Encoder for Pigz {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    fn settings(&self) -> Vec<u8> {
        self.0.to_bytes().to_vec()
    }

    fn encode(&self, plain: &dyn ReadAt, out: &mut dyn Write) -> io::Result<()> {
        let mut encoder = pigz::Encoder::new(self.0, out)?;
        copy(plain, &mut encoder)?;
        encoder.finish().map(drop)
    }
}

impl fmt::Display for Pigz {
    /// As on its command line.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [options, high, low] = self.0.to_bytes();
        let block = u16::from_be_bytes([high, low]);
        write!(formatter, "pigz -{}", options & 15)?;
        for (bit, option) in [(16, " -p1"), (32, " -i"), (64, " -R")] {
            if options & bit != 0 {
                formatter.write_str(option)?;
            }
        }
        if block == BLOCK { Ok(()) } else { write!(formatter, " -b{block}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_with_a_dictionary_are_likelier_than_other_ways() {
        let gzip = |extra| {
            let mut bytes = [0; 18];
            (bytes[8], bytes[9]) = (extra, 3);
            Origin::Gzip(super::super::Header(bytes))
        };
        let of_level = |origin: &Origin, level: u8| -> Vec<(u8, String)> {
            let all = candidates(origin).into_iter().filter(|one| one.encoder.settings()[0] & 15 == level);
            all.map(|one| (one.doubt, one.encoder.to_string())).collect()
        };
        for (extra, level, doubt) in [(0, 6, 4), (0, 5, 6), (2, 9, 5), (2, 6, 12), (4, 1, 5), (4, 2, 14)] {
            let named = [(0, ""), (2, " -p1"), (4, " -i"), (4, " -R")]
                .map(|(unusual, option)| (doubt + unusual, format!("pigz -{level}{option}")));
            assert_eq!(of_level(&gzip(extra), level), named, "{extra}");
        }
        assert_eq!(candidates(&gzip(0)).len(), 36);
        assert!(candidates(&Origin::Zip).is_empty() && candidates(&Origin::Zlib([0x78, 0x9c])).is_empty());
    }
}
