use super::*;

#[test]
fn settings_come_back_and_nonsense_is_refused() {
    let settings = Settings::new(9, 15, 8, 1).unwrap();
    assert_eq!(Settings::from_bytes(settings.to_bytes()), Some(settings));
    for (level, window, memory, strategy) in [(10, 15, 8, 0), (6, 8, 8, 0), (6, 15, 0, 0), (6, 15, 8, 5)] {
        assert_eq!(Settings::new(level, window, memory, strategy), None);
    }
    assert!((0..=u16::MAX).all(|bytes| {
        Settings::from_bytes(bytes.to_be_bytes()).is_none_or(|settings| Deflater::new(settings).is_ok())
    }));
}
