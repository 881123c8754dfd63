//! A vendor signs and encrypts for one site; three sticks of 100 MB, of which one breaks; the site applies, and knows who made it.

use std::fs;

use crate::support::{Folder, Ran, command, finish, image, layer, names, noise, seen, shell};

/// More than one stick takes, less than two.
const NEW_BYTES: usize = 150 << 20;

/// Runs a command in the folder, where no person sits.
fn run(folder: &Folder, line: &str) -> Ran {
    let mut command = command("docker_delta", &line.split_whitespace().collect::<Vec<_>>());
    finish(command.current_dir(folder.path()).env("HOME", folder.path()))
}

#[test]
fn from_the_vendor_to_one_site_over_three_sticks_of_which_one_breaks() {
    let (vendor, site) = (Folder::new(), Folder::new());
    let base = layer(&[("base", &noise(1, 300_000))]);
    image(&vendor, "v1.tar", "app:v1", std::slice::from_ref(&base));
    fs::copy(vendor.file("v1.tar"), site.file("v1.tar")).unwrap();
    image(&vendor, "v2.tar", "app:v2", &[base, layer(&[("new", &noise(2, NEW_BYTES))])]);

    // Each side makes its keys, and gives away what is public.
    run(&vendor, "keygen --no-password vendor").ok();
    fs::copy(vendor.file("vendor.pub"), site.file("vendor.pub")).unwrap();
    shell("age", &site, "umask 077 && age-keygen -o site.age 2>/dev/null && age-keygen -y site.age > site.pub");
    fs::copy(site.file("site.pub"), vendor.file("site.pub")).unwrap();

    let made = "create v2.tar app.ddelta --base v1.tar -l 1 --sign vendor.key --encrypt-to site.pub \
                --volume-size 100M --parity 50%";
    let said = run(&vendor, made).ok().stderr;
    assert!(said.contains("parity makes up for"), "{said}");

    // Every volume on a stick of its own; the second stick gives nothing but zeros.
    let volumes: Vec<String> = names(vendor.path()).into_iter().filter(|name| name.contains(".ddelta.0")).collect();
    for (number, volume) in volumes.iter().enumerate() {
        let stick = site.path().join(format!("stick{number}"));
        fs::create_dir(&stick).unwrap();
        fs::copy(vendor.file(volume), stick.join(volume)).unwrap();
    }
    assert_eq!(volumes.len(), 3);
    let sticks: Vec<String> = (0..volumes.len()).map(|number| format!("stick{number}")).collect();
    let broken = site.path().join(&sticks[1]).join(&volumes[1]);
    let length = fs::metadata(&broken).unwrap().len();
    fs::write(&broken, vec![0; usize::try_from(length).unwrap()]).unwrap();

    let first = format!("{}/{}", sticks[0], volumes[0]);
    let others: String = sticks[1..].iter().map(|stick| format!(" --volumes {stick}")).collect();
    let key = "--identity-file site.age --trust vendor.pub";
    let line = format!("apply {first} --base v1.tar -o out.tar {key}{others}");
    let said = run(&site, &line).ok().stderr;
    assert!(said.contains("signed by key") && said.contains("trusted here"), "{said}");
    assert!(said.contains("parity made up for"), "{said}");
    assert_eq!(seen(&site.file("out.tar")), seen(&vendor.file("v2.tar")));

    // Somebody else's key is not the vendor's, and without the site's key nobody sees anything.
    run(&site, "keygen --no-password other").ok();
    let other = line.replace("vendor.pub", "other.pub").replace("out.tar", "other.tar");
    run(&site, &other).failed(4, &["not trusted here"]);
    run(&site, &format!("info {first}{others}")).failed(2, &["is encrypted"]);
    // Whether the copy is good, or good enough, is seen without any key.
    let said = run(&site, &format!("verify {first}{others}")).ok().stderr;
    assert!(said.contains("is a good copy"), "{said}");
}
