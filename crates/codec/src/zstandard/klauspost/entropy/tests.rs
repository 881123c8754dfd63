use super::*;

#[test]
fn logarithms_are_right() {
    for count in 1..2000_u32 {
        let value = f64::from(count) / 2000.0;
        assert!((logarithm(value) - value.log2()).abs() < 1e-14, "{value}");
    }
    assert!(logarithm(0.125) == -3.0 && logarithm(1.0) == 0.0);
}

#[test]
fn bytes_take_what_their_shares_say() {
    assert_eq!(least_bits(&[7; 1000]), 0);
    let every: Vec<u8> = (0..=255).cycle().take(131_072).collect();
    assert_eq!(least_bits(&every), 8 * 131_072);
    assert_eq!(least_bits(b"abab"), 4);
}
