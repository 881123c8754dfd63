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
    use super::*;

    #[test]
    fn addresses_come_back_in_every_mode() {
        let addresses = [0, 5, 1000, 1001, 1000, 90_000, 90_010, 5, 99_999, 1000, 767, 768, 5];
        let (mut writer, mut bytes, mut modes) = (Cache::new(), Vec::new(), Vec::new());
        for (step, address) in addresses.into_iter().enumerate() {
            modes.push(writer.push(&mut bytes, address, 100_000 + step as u64));
        }
        let (mut reader, mut rest) = (Cache::new(), bytes.as_slice());
        for (step, (address, mode)) in addresses.into_iter().zip(&modes).enumerate() {
            assert_eq!(reader.take(&mut rest, *mode, 100_000 + step as u64), Some(address));
        }
        assert!(rest.is_empty());
        assert!(modes.iter().any(|mode| *mode >= MODE_SAME), "{modes:?}");
    }

    #[test]
    fn an_address_behind_here_is_refused() {
        let mut bytes = Vec::new();
        integer::push(&mut bytes, 10);
        assert_eq!(Cache::new().take(&mut bytes.as_slice(), 0, 10), None);
        assert_eq!(Cache::new().take(&mut bytes.as_slice(), MODE_HERE, 9), None);
    }
}
