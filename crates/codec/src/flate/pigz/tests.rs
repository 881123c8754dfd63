use super::super::taken_apart;
use super::*;

#[test]
fn settings_come_back_and_nonsense_is_refused() {
    for chaining in [Chaining::Dictionary, Chaining::Serial, Chaining::Independent] {
        let settings = Settings::new(7, 512, chaining, false).unwrap();
        assert_eq!(Settings::from_bytes(settings.to_bytes()), Some(settings));
    }
    for (level, block) in [(0, 128), (10, 128), (6, 31), (6, 0), (6, u16::MAX)] {
        assert_eq!(Settings::new(level, block, Chaining::Dictionary, false), None);
    }
    assert_eq!(Settings::new(6, 128, Chaining::Serial, true), None);
    for first in 0..=u8::MAX {
        if let Some(settings) = Settings::from_bytes([first, 0, 128]) {
            assert_eq!(settings.to_bytes(), [first, 0, 128]);
        }
    }
}

fn made(chaining: Chaining, plain: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(Settings::new(6, 32, chaining, false).unwrap(), Vec::new()).unwrap();
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_block_sees_32_kib_before_it_unless_it_is_independent() {
    // The same again and again, as far apart as zlib looks: whatever block it is in, nearly all of it must be before that block.
    let noise = crate::noise::noise(1, 32_468);
    let plain: Vec<u8> = noise.iter().copied().cycle().take(300_000).collect();
    for (chaining, most) in [(Chaining::Dictionary, 36_000), (Chaining::Serial, 36_000)] {
        let stream = made(chaining, &plain);
        assert!(stream.len() < most, "{chaining:?}: {}", stream.len());
        assert!(taken_apart::plain(&stream) == plain);
    }
    let stream = made(Chaining::Independent, &plain);
    assert!(stream.len() > 290_000 && taken_apart::plain(&stream) == plain);
}

#[test]
fn nothing_is_one_block_whatever_the_chaining() {
    for chaining in [Chaining::Dictionary, Chaining::Serial, Chaining::Independent] {
        assert_eq!(made(chaining, b""), [3, 0], "{chaining:?}");
    }
}
