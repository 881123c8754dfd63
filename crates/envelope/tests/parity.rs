//! Parity is what FORMAT.md defines, and brings back every pattern of lost blocks that it can.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

use std::io;
use std::sync::Arc;

use delta_codec::{MemoryScratch, ReadAt, Scratch, ScratchFile};
use delta_core::error::Kind;
use delta_core::job::progress::Silent;
use delta_envelope::volumes::{Layout, Parity, padded, parity_blocks, restored_blocks};
use proptest::prelude::*;

fn layout(bytes: usize, parity: &str) -> Layout {
    Layout::plan(bytes as u64, None, parity.parse::<Parity>().unwrap()).unwrap()
}

/// Bytes without a pattern (Knuth's generator for 64 bits).
fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    })
    .take(bytes)
    .collect()
}

fn made(whole: &[u8], layout: &Layout) -> Arc<dyn ReadAt> {
    let read = |block, offset, buffer: &mut [u8]| padded(&whole, block * layout.block_bytes() + offset, buffer);
    parity_blocks(layout, &read, &MemoryScratch, &Silent).unwrap()
}

/// Whether all data comes back without the `lost` blocks, which are read as a fault.
fn comes_back(whole: &[u8], layout: &Layout, lost: &[usize]) -> bool {
    let parity = made(whole, layout);
    let good: Vec<bool> = (0..layout.blocks()).map(|block| !lost.iter().any(|lost| *lost as u64 == block)).collect();
    let read = |block: u64, offset: u64, buffer: &mut [u8]| {
        if !good[usize::try_from(block).unwrap()] {
            return Err(io::Error::other("a lost block is read"));
        }
        match block.checked_sub(layout.data_blocks()) {
            None => padded(&whole, block * layout.block_bytes() + offset, buffer),
            Some(number) => padded(&parity, number * layout.block_bytes() + offset, buffer),
        }
    };
    let restored = restored_blocks(layout, &good, &read, &MemoryScratch, &Silent).unwrap();
    let data = good.iter().take(usize::try_from(layout.data_blocks()).unwrap());
    let lost: Vec<u64> = data.enumerate().filter(|(_, good)| !**good).map(|(block, _)| block as u64).collect();
    restored.len() == lost.len() as u64 * layout.block_bytes()
        && lost.iter().zip(0..).all(|(block, number)| {
            let mut expected = vec![0; usize::try_from(layout.block_bytes()).unwrap()];
            padded(&whole, block * layout.block_bytes(), &mut expected).unwrap();
            let mut found = expected.clone();
            restored.read_exact_at(&mut found, number * layout.block_bytes()).unwrap();
            found == expected
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_pattern_of_as_many_lost_blocks_as_there_is_parity_comes_back(
        bytes in 1..600_000_usize,
        percent in 1..=100_u64,
        seed: u64,
        order in Just((0..400_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let layout = layout(bytes, &percent.to_string());
        prop_assert!(layout.parity_blocks() * 100 >= layout.data_blocks() * percent);
        let blocks = usize::try_from(layout.blocks()).unwrap();
        let most = usize::try_from(layout.parity_blocks()).unwrap();
        let lost: Vec<usize> = order.into_iter().filter(|block| *block < blocks).take(most).collect();
        prop_assert!(comes_back(&noise(bytes, seed), &layout, &lost));
    }
}

#[test]
fn blocks_of_several_columns_come_back() {
    let bytes = (64 << 20) + 12_345;
    let layout = layout(bytes, "3%");
    assert!(layout.block_bytes() > 8_192 && layout.data_blocks() > 4_000);
    let lost: Vec<usize> = (0..usize::try_from(layout.parity_blocks()).unwrap()).map(|number| number * 33).collect();
    assert!(comes_back(&noise(bytes, 7), &layout, &lost));
}

/// The product in the field of FORMAT.md, section 18.
fn product(mut left: u32, mut right: u32) -> u32 {
    let mut sum = 0;
    while right > 0 {
        if right & 1 == 1 {
            sum ^= left;
        }
        left <<= 1;
        if left & 0x1_0000 != 0 {
            left ^= 0x1_002d;
        }
        right >>= 1;
    }
    sum
}

/// The element that a word stands for.
fn element(word: usize) -> u32 {
    const BASIS: [u32; 16] = [
        0x0001, 0xacca, 0x3c0e, 0x163e, 0xc582, 0xed2e, 0x914c, 0x4012, 0x6c98, 0x10d8, 0x6a72, 0xb900, 0xfdb8, 0xfb34,
        0xff38, 0x991e,
    ];
    BASIS.iter().enumerate().filter(|(bit, _)| word >> bit & 1 == 1).fold(0, |sum, (_, base)| sum ^ base)
}

/// The words of a block.
fn elements(block: &[u8]) -> Vec<u32> {
    let word = |piece: &[u8], at: usize| element(usize::from(piece[at]) | usize::from(piece[at + 32]) << 8);
    block.chunks(64).flat_map(|piece| (0..32).map(move |at| word(piece, at))).collect()
}

#[test]
fn parity_is_what_the_format_says() {
    for (blocks, percent) in [(1, 100), (2, 50), (2, 100), (5, 40), (9, 40), (8, 100), (21, 36)] {
        let whole = noise(blocks * 4_096 - 17, 42);
        let layout = layout(whole.len(), &percent.to_string());
        let parity = made(&whole, &layout);
        let count = usize::try_from(layout.parity_blocks()).unwrap();
        assert!(count.is_power_of_two(), "the sums below are over all of them");
        let block = |bytes: &dyn ReadAt, number: usize| {
            let mut block = vec![0; 4_096];
            padded(bytes, number as u64 * 4_096, &mut block).unwrap();
            elements(&block)
        };
        let mut terms: Vec<(u32, Vec<u32>)> =
            (0..count).map(|number| (element(number), block(&parity, number))).collect();
        terms.extend((0..blocks).map(|number| (element(count + number), block(&whole, number))));
        let mut powers = vec![1; terms.len()];
        for _ in 0..count {
            for word in 0..2_048 {
                let sum =
                    terms.iter().zip(&powers).fold(0, |sum, ((_, block), power)| sum ^ product(*power, block[word]));
                assert_eq!(sum, 0, "{blocks} blocks, {percent} %");
            }
            for ((point, _), power) in terms.iter().zip(&mut powers) {
                *power = product(*power, *point);
            }
        }
    }
}

#[test]
fn fewer_parity_blocks_are_the_first_of_more() {
    let whole = noise(50 * 4_096, 3);
    let all = made(&whole, &layout(whole.len(), "32%"));
    for percent in [18, 20, 22, 30] {
        let fewer = made(&whole, &layout(whole.len(), &percent.to_string()));
        assert!(fewer.len() > all.len() / 2 && fewer.len() < all.len());
        let mut buffers =
            [vec![0; usize::try_from(fewer.len()).unwrap()], vec![0; usize::try_from(fewer.len()).unwrap()]];
        fewer.read_exact_at(&mut buffers[0], 0).unwrap();
        all.read_exact_at(&mut buffers[1], 0).unwrap();
        assert_eq!(buffers[0], buffers[1], "{percent} %");
    }
}

#[test]
fn bytes_behind_the_end_are_read_as_zeros() {
    let bytes = b"0123456789".to_vec();
    for (offset, length, expected) in [
        (0, 4, &b"0123"[..]),
        (8, 2, b"89"),
        (8, 4, b"89\0\0"),
        (9, 1, b"9"),
        (10, 2, b"\0\0"),
        (u64::MAX, 2, b"\0\0"),
        (3, 0, b""),
    ] {
        let mut buffer = vec![0xff; length];
        padded(&bytes, offset, &mut buffer).unwrap();
        assert_eq!(buffer, expected, "{offset}");
    }
}

#[test]
fn blocks_that_are_too_few_give_nothing() {
    let whole = noise(10 * 4_096, 1);
    let layout = layout(whole.len(), "30%");
    let parity = made(&whole, &layout);
    let restored = |good: &[bool]| {
        let read = |block: u64, offset: u64, buffer: &mut [u8]| match block.checked_sub(10) {
            None => padded(&whole, block * 4_096 + offset, buffer),
            Some(number) => padded(&parity, number * 4_096 + offset, buffer),
        };
        restored_blocks(&layout, good, &read, &MemoryScratch, &Silent).map(|restored| restored.len())
    };
    let mut good = vec![true; 13];
    good[..3].fill(false);
    assert_eq!(restored(&good).unwrap(), 3 * 4_096);
    good[3] = false;
    assert_eq!(restored(&good).unwrap_err().kind(), Kind::Internal);
    // A block of which nothing is said is none.
    assert_eq!(restored(&[true; 9]).unwrap_err().kind(), Kind::Internal);
    assert_eq!(restored(&[false; 13]).unwrap_err().kind(), Kind::Internal);
    assert_eq!(restored(&[true; 12]).unwrap(), 0);
}

#[test]
fn what_was_made_is_read_at_any_place() {
    // Each block is made in several columns.
    let layout = layout(40 << 20, "1%");
    assert!(layout.block_bytes() == 8_192);
    let whole = noise(40 << 20, 5);
    let parity = made(&whole, &layout);
    let length = usize::try_from(parity.len()).unwrap();
    let mut all = vec![0; length];
    parity.read_exact_at(&mut all, 0).unwrap();
    for (offset, bytes) in [(1, 100), (4_095, 2), (8_190, 4), (8_192, 8_192), (length - 1, 1), (12_345, 54_321)] {
        let mut piece = vec![0; bytes];
        parity.read_exact_at(&mut piece, offset as u64).unwrap();
        assert!(piece == all[offset..offset + bytes], "{offset}");
    }
    let mut buffer = [1; 8];
    assert_eq!(parity.read_at(&mut buffer, parity.len()).unwrap(), 0);
    assert_eq!(parity.read_at(&mut buffer, u64::MAX).unwrap(), 0);
    assert_eq!(parity.read_at(&mut buffer, parity.len() - 1).unwrap(), 1);
}

#[test]
fn what_reading_and_writing_report_is_told() {
    struct Full;
    impl Scratch for Full {
        fn create(&self) -> io::Result<Box<dyn ScratchFile>> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }
    let whole = noise(10 * 4_096, 1);
    let layout = layout(whole.len(), "30%");
    let broken = |_: u64, _: u64, _: &mut [u8]| Err(io::ErrorKind::PermissionDenied.into());
    let read = |block: u64, offset: u64, buffer: &mut [u8]| padded(&whole, block * 4_096 + offset, buffer);
    let good = vec![true; 12];
    for (made, doing) in [
        (parity_blocks(&layout, &broken, &MemoryScratch, &Silent), "making parity: "),
        (parity_blocks(&layout, &read, &Full, &Silent), "making parity: "),
        (restored_blocks(&layout, &good, &broken, &MemoryScratch, &Silent), "restoring blocks: "),
        (restored_blocks(&layout, &good, &read, &Full, &Silent), "restoring blocks: "),
    ] {
        let error = made.map(|_| ()).unwrap_err();
        assert!(error.to_string().starts_with(doing), "{error}");
        assert_eq!(error.kind(), Kind::Environment, "{error}");
    }
}
