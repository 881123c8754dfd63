//! The address cache (RFC 3284, 5.1 to 5.3): addresses written as the shortest of nine forms.

use super::code_table::MODES;
use super::integer;

const NEAR: usize = 4;
const SAME: u64 = 3 * 256;
const MODE_HERE: u8 = 1;
const MODE_NEAR: u8 = 2;
const MODE_SAME: u8 = 6;

pub(super) struct Cache {
    near: [u64; NEAR],
    next: usize,
    same: Vec<u64>,
}

impl Cache {
    pub(super) fn new() -> Self {
        Self { near: [0; NEAR], next: 0, same: vec![0; index(SAME)] }
    }

    /// Appends `address` in its shortest form and returns the mode.
    pub(super) fn push(&mut self, out: &mut Vec<u8>, address: u64, here: u64) -> u8 {
        let mut best = (0, address);
        let near = (MODE_NEAR..).zip(self.near).filter_map(|(mode, near)| Some((mode, address.checked_sub(near)?)));
        for (mode, value) in near.chain([(MODE_HERE, here - address)]) {
            if integer::length(value) < integer::length(best.1) {
                best = (mode, value);
            }
        }
        let slot = address % SAME;
        let mode = if self.same[index(slot)] == address && integer::length(best.1) > 1 {
            let [low, high, ..] = slot.to_le_bytes();
            out.push(low);
            MODE_SAME + high
        } else {
            integer::push(out, best.1);
            best.0
        };
        self.remember(address);
        mode
    }

    /// Takes the address of a COPY with `mode`; `None` when it is not there or does not lie before `here`.
    pub(super) fn take(&mut self, bytes: &mut &[u8], mode: u8, here: u64) -> Option<u64> {
        let address = match mode {
            0 => integer::take(bytes)?,
            MODE_HERE => here.checked_sub(integer::take(bytes)?)?,
            MODE_NEAR..MODE_SAME => self.near[usize::from(mode - MODE_NEAR)].checked_add(integer::take(bytes)?)?,
            MODE_SAME..MODES => {
                let (low, rest) = bytes.split_first()?;
                *bytes = rest;
                self.same[usize::from(mode - MODE_SAME) * 256 + usize::from(*low)]
            }
            _ => return None,
        };
        self.remember(address);
        (address < here).then_some(address)
    }

    fn remember(&mut self, address: u64) {
        self.near[self.next] = address;
        self.next = (self.next + 1) % NEAR;
        self.same[index(address % SAME)] = address;
    }
}

fn index(slot: u64) -> usize {
    usize::try_from(slot).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The modes of `addresses`, one behind the other from `here` on, each of which has been seen to come back.
    fn modes(addresses: &[u64], here: u64) -> Vec<u8> {
        let (mut writer, mut bytes, mut modes) = (Cache::new(), Vec::new(), Vec::new());
        for (step, address) in (0..).zip(addresses) {
            modes.push(writer.push(&mut bytes, *address, here + step));
        }
        let (mut reader, mut rest) = (Cache::new(), bytes.as_slice());
        for (step, (address, mode)) in (0..).zip(addresses.iter().zip(&modes)) {
            assert_eq!(reader.take(&mut rest, *mode, here + step), Some(*address), "{addresses:?}");
        }
        assert!(rest.is_empty(), "{addresses:?}");
        modes
    }

    #[test]
    fn an_address_is_written_in_the_shortest_form() {
        const FAR: u64 = 1 << 40;
        for (addresses, here, last) in [
            // As itself where nothing is shorter.
            (&[0][..], FAR, 0),
            (&[127], FAR, 0),
            (&[128], 256, 0),
            // From here, where that is a digit less.
            (&[128], 255, MODE_HERE),
            (&[FAR - 1], FAR, MODE_HERE),
            // From one of the last four, in whose places they come.
            (&[90_000, 90_001], FAR, MODE_NEAR),
            (&[90_000, 500_000, 90_127], FAR, MODE_NEAR),
            (&[90_000, 500_000, 500_127], FAR, MODE_NEAR + 1),
            (&[90_000, 500_000, 700_000, 700_001], FAR, MODE_NEAR + 2),
            (&[90_000, 500_000, 700_000, 800_000, 800_001], FAR, MODE_NEAR + 3),
            // The fifth takes the place of the first.
            (&[90_000, 500_000, 700_000, 800_000, 900_000, 900_001], FAR, MODE_NEAR),
            // As one that was used before, when the last four are others.
            (&[90_000, 500_000, 700_000, 800_000, 900_000, 90_000], FAR, MODE_SAME),
            (&[90_200, 500_000, 700_000, 800_000, 900_000, 90_200], FAR, MODE_SAME + 1),
            (&[90_600, 500_000, 700_000, 800_000, 900_000, 90_600], FAR, MODE_SAME + 2),
            // Another address with the same place among 768 has taken it.
            (&[90_000, 90_768, 500_000, 700_000, 800_000, 900_000, 90_000], FAR, 0),
        ] {
            assert_eq!(modes(addresses, here).last(), Some(&last), "{addresses:?} from {here}");
        }
    }

    #[test]
    fn an_address_at_or_behind_here_is_none() {
        for (mode, number, here, address) in [
            (0, 9, 10, Some(9)),
            (0, 10, 10, None),
            (0, 11, 10, None),
            (MODE_HERE, 0, 10, None),
            (MODE_HERE, 1, 10, Some(9)),
            (MODE_HERE, 10, 10, Some(0)),
            (MODE_HERE, 11, 10, None),
            (MODE_NEAR, 4, 5, Some(4)),
            (MODE_NEAR, 5, 5, None),
        ] {
            let mut bytes = Vec::new();
            integer::push(&mut bytes, number);
            let taken = Cache::new().take(&mut bytes.as_slice(), mode, here);
            assert_eq!(taken, address, "{number} in mode {mode} at {here}");
        }
        // Nothing was used before: a place that was never written stands for 0, which lies before any other.
        assert_eq!(Cache::new().take(&mut &[9][..], MODE_SAME, 0), None);
        assert_eq!(Cache::new().take(&mut &[9][..], MODE_SAME + 2, 1), Some(0));
    }

    #[test]
    fn an_address_that_is_not_there_or_has_more_than_64_bits_is_none() {
        for mode in 0..MODES {
            assert_eq!(Cache::new().take(&mut &[][..], mode, 100), None, "mode {mode}");
        }
        assert_eq!(Cache::new().take(&mut &[0][..], MODES, 100), None);
        let mut cache = Cache::new();
        let mut bytes = Vec::new();
        integer::push(&mut bytes, u64::MAX - 1);
        integer::push(&mut bytes, 2);
        let mut rest = bytes.as_slice();
        assert_eq!(cache.take(&mut rest, 0, u64::MAX), Some(u64::MAX - 1));
        assert_eq!(cache.take(&mut rest, MODE_NEAR, u64::MAX), None);
    }

    proptest! {
        #[test]
        fn any_addresses_come_back(steps in proptest::collection::vec((any::<prop::sample::Index>(), 0..3_u8), 1..60)) {
            let here = 1 << 20;
            let mut last = 0;
            let addresses: Vec<u64> = steps
                .into_iter()
                .map(|(index, kind)| {
                    last = match kind {
                        0 => index.index(1 << 20) as u64,
                        1 => (last + index.index(300) as u64).min(here - 1),
                        _ => index.index(2_000) as u64,
                    };
                    last
                })
                .collect();
            modes(&addresses, here);
        }
    }
}
