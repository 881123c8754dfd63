//! GNU gzip and busybox, and what shares their encoder: Info-ZIP.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use super::origin::Hand;
use super::{Candidate, Encoder, Family, Format, Origin, copy, front};
use crate::ReadAt;
use crate::flate::gnu::{self, Program, Settings};

pub(super) static FAMILY: Family =
    Family { number: 5, feature: "gzip-gnu-1", format: Format::Deflate, candidates, take };

struct Gnu(Settings);

/// busybox's bit in the byte of the settings.
const BUSYBOX: u8 = 16;

fn candidates(origin: &Origin) -> Vec<Candidate> {
    let programs: &[(Program, u8)] = match origin {
        Origin::Gzip(_) if origin.is_of_unix() => &[(Program::Gzip, 0), (Program::Busybox, 2)],
        Origin::Gzip(_) => &[(Program::Gzip, 2), (Program::Busybox, 4)],
        Origin::Zip => &[(Program::Gzip, 2)],
        Origin::Zlib(_) | Origin::Png(_) | Origin::Zstd(_) => &[],
    };
    let candidate = |level: u8, (program, unusual): (Program, u8)| {
        let doubt = origin.doubt_of_level(level)? + unusual + origin.doubt_of_hands(&[Hand::Other]);
        Some(Candidate { doubt, encoder: Arc::new(Gnu(Settings::new(program, level)?)) })
    };
    (1..=9).flat_map(|level| programs.iter().filter_map(move |program| candidate(level, *program))).collect()
}

fn take(bytes: &mut &[u8]) -> Option<Arc<dyn Encoder>> {
    Some(Arc::new(Gnu(Settings::from_bytes(front(bytes)?)?)))
}

impl Encoder for Gnu {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    fn settings(&self) -> Vec<u8> {
        self.0.to_bytes().to_vec()
    }

    fn encode(&self, plain: &dyn ReadAt, out: &mut dyn Write) -> io::Result<()> {
        let mut encoder = gnu::Encoder::new(self.0, out);
        copy(plain, &mut encoder)?;
        encoder.finish().map(drop)
    }
}

impl fmt::Display for Gnu {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [settings] = self.0.to_bytes();
        let program = if settings & BUSYBOX == 0 { "gzip" } else { "busybox gzip" };
        write!(formatter, "{program} -{}", settings & !BUSYBOX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_likelier_than_busybox_and_unix_than_other_systems() {
        let gzip = |system| {
            let mut bytes = [0; 18];
            bytes[9] = system;
            Origin::Gzip(super::super::Header(bytes))
        };
        for (origin, expected) in [
            (gzip(3), vec![(0, "gzip -6"), (2, "busybox gzip -6")]),
            (gzip(0), vec![(2, "gzip -6"), (4, "busybox gzip -6")]),
            // Go's header, in which no C program is likely.
            (gzip(255), vec![(42, "gzip -6"), (44, "busybox gzip -6")]),
            (Origin::Zip, vec![(2, "gzip -6")]),
            (Origin::Zlib([0x78, 0x9c]), vec![]),
            (Origin::Png([0x78, 0x9c]), vec![]),
            (Origin::Zstd(super::super::Header([0; 18])), vec![]),
        ] {
            let all = candidates(&origin).into_iter().filter(|one| one.encoder.settings()[0] & !BUSYBOX == 6);
            let told: Vec<(u8, String)> = all.map(|one| (one.doubt, one.encoder.to_string())).collect();
            let expected: Vec<(u8, String)> =
                expected.into_iter().map(|(doubt, name)| (doubt, name.to_owned())).collect();
            assert_eq!(told, expected, "{origin:?}");
        }
        assert_eq!((candidates(&gzip(3)).len(), candidates(&Origin::Zip).len()), (18, 9));
    }
}
