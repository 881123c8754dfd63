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
