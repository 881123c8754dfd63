#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| delta_fuzz::run("guided", data));
