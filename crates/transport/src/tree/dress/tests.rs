use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use delta_core::error::Kind;
use rustix::fs::Mode;

use super::super::samples::{MASK, NOBODY, OTHERS, OWN_GROUP, OWNER, USER, attribute, list};
use super::*;

/// What lets a program use ports below 1024 (capabilities(7)).
const CAPABILITY: [u8; 20] = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

const NONE: Keep = Keep { owner: false, permissions: false, times: false, attributes: false, devices: false };

/// A file of this user's that nobody else may read.
fn file() -> File {
    tempfile::tempfile().unwrap()
}

fn facts() -> Facts {
    Facts {
        mode: 0o4751,
        uid: 1234,
        gid: 4321,
        modified: Time { seconds: -1, nanoseconds: 999_999_999 },
        attributes: vec![
            attribute("security.capability", &CAPABILITY),
            attribute("trusted.a", b"\0\xff\n"),
            attribute("user.b", b""),
        ],
    }
}

/// What something is after it was dressed, and what it lacks.
fn dressed(made: Made<'_>, facts: &Facts, keep: Keep) -> (Facts, Losses) {
    let mut losses = Losses::default();
    dress(made, b"name", facts, keep, &mut losses).unwrap();
    (facts_of(made).unwrap(), losses)
}

#[test]
fn a_file_is_given_all_that_it_should_be() {
    let file = file();
    let (found, losses) = dressed(Made::Open(&file), &facts(), Keep::default());
    // A new owner clears the bit and the capability, so that he comes first.
    assert_eq!(found, facts());
    assert!(losses.finish("dressing").unwrap().is_empty());
}

#[test]
fn what_is_not_kept_stays_as_it_was() {
    let all = Keep::default();
    type Found = fn(Facts) -> Facts;
    let cases: [(Keep, Found); 6] = [
        (Keep { times: false, ..all }, |own| Facts { modified: own.modified, ..facts() }),
        (Keep { permissions: false, ..all }, |own| Facts { mode: own.mode, ..facts() }),
        (Keep { attributes: false, ..all }, |own| Facts { attributes: own.attributes, ..facts() }),
        // It does not act for another owner than it should.
        (Keep { owner: false, ..all }, |own| Facts { uid: own.uid, gid: own.gid, mode: 0o751, ..facts() }),
        (Keep { devices: false, ..all }, |_| facts()),
        (NONE, |own| own),
    ];
    for (keep, expected) in cases {
        let file = file();
        let own = facts_of(Made::Open(&file)).unwrap();
        let (found, losses) = dressed(Made::Open(&file), &facts(), keep);
        assert_eq!(found, expected(own), "{keep:?}");
        let lost = losses.finish("dressing").unwrap();
        let expected = if keep.owner { vec![] } else { vec!["the set-user-ID or set-group-ID bit"] };
        assert_eq!(lost.iter().map(|lost| lost.what.as_str()).collect::<Vec<_>>(), expected, "{keep:?}");
    }
}

#[test]
fn bits_that_act_for_an_owner_are_only_for_that_owner() {
    let (file, folder) = (file(), tempfile::tempdir().unwrap());
    let folder = File::open(folder.path()).unwrap();
    for (what, is_same_owner, is_same_group, expected) in [
        (&file, true, true, 0o7755),
        (&file, false, true, 0o1755),
        (&file, true, false, 0o1755),
        (&file, false, false, 0o1755),
        // In a folder they say who gets what is made there.
        (&folder, false, false, 0o7755),
    ] {
        let found = Made::Open(what).stat().unwrap();
        let uid = if is_same_owner { found.st_uid } else { found.st_uid + 1 };
        let gid = if is_same_group { found.st_gid } else { found.st_gid + 1 };
        let facts = Facts { mode: 0o7755, uid, gid, ..Facts::default() };
        assert_eq!(allowed(&facts, &found, true), expected, "{is_same_owner} {is_same_group}");
    }
}

/// A list by which one more user may read and write, and the group nothing.
fn guests() -> Vec<u8> {
    list(&[(OWNER, 6, NOBODY), (USER, 6, 1000), (OWN_GROUP, 0, NOBODY), (MASK, 6, NOBODY), (OTHERS, 0, NOBODY)])
}

#[test]
fn a_group_may_no_more_without_the_list_than_with_it() {
    let found = Made::Open(&file()).stat().unwrap();
    let with = |value: Vec<u8>| Facts {
        mode: 0o674,
        uid: found.st_uid,
        gid: found.st_gid,
        attributes: vec![attribute("system.posix_acl_access", &value), attribute("user.a", b"")],
        ..Facts::default()
    };
    for (value, with_list, expected) in [
        (guests(), true, 0o674),
        (guests(), false, 0o604),
        (list(&[(OWN_GROUP, 5, NOBODY)]), false, 0o654),
        // What says nothing of the group takes nothing from it.
        (list(&[(MASK, 0, NOBODY)]), false, 0o674),
        (Vec::new(), false, 0o674),
    ] {
        assert_eq!(allowed(&with(value), &found, with_list), expected);
    }
    let other = Facts { attributes: vec![attribute("system.posix_acl_default", &guests())], ..with(Vec::new()) };
    assert_eq!(allowed(&other, &found, false), 0o674);
}

#[test]
fn rights_of_a_group_are_read_from_a_list() {
    for (list, expected) in [
        (Vec::new(), None),
        (vec![2, 0, 0], None),
        (list(&[]), None),
        (list(&[(OWNER, 7, NOBODY), (MASK, 7, NOBODY)]), None),
        (list(&[(OWN_GROUP, 0, NOBODY)]), Some(0)),
        (list(&[(OWNER, 1, NOBODY), (OWN_GROUP, 5, NOBODY), (OTHERS, 2, NOBODY)]), Some(5)),
        // No more than reading, writing and running.
        (list(&[(OWN_GROUP, 0xffff, NOBODY)]), Some(7)),
        (list(&[(OWN_GROUP | 0x100, 5, NOBODY)]), None),
        (list(&[(OWN_GROUP, 5, NOBODY)])[..11].to_vec(), None),
    ] {
        assert_eq!(rights_of_group(&list), expected, "{list:?}");
    }
}

#[test]
fn a_list_is_given_and_what_cannot_be_given_closes_what_it_would_have_closed() {
    let given = |attributes: Vec<Attribute>, keep: Keep| {
        let file = file();
        let own = facts_of(Made::Open(&file)).unwrap();
        let facts = Facts { mode: 0o674, attributes, ..own };
        let (found, losses) = dressed(Made::Open(&file), &facts, keep);
        let kinds = [b"system.posix_acl_access", &b"system.posix_acl_default"[..]].map(|name| name.to_vec());
        let lost = kinds.map(|name| losses.has(&Loss::Attribute(name)));
        assert!(!losses.has(&Loss::Permissions), "{found:?}");
        (found.mode, found.attributes.len(), lost)
    };
    let access = attribute("system.posix_acl_access", &guests());
    // Of the mask, which the file system shows in the place of the group.
    assert_eq!(given(vec![access.clone()], Keep { permissions: false, ..Keep::default() }), (0o660, 1, [false, false]));
    assert_eq!(given(vec![access.clone()], Keep { attributes: false, ..Keep::default() }), (0o604, 0, [false, false]));
    // No file system takes a list without an owner.
    let odd = attribute("system.posix_acl_access", &list(&[(OWN_GROUP, 4, NOBODY)]));
    assert_eq!(given(vec![odd], Keep::default()), (0o644, 0, [true, false]));
    // That of a folder is lost alone.
    let default = attribute("system.posix_acl_default", &guests());
    assert_eq!(given(vec![access, default], Keep::default()), (0o674, 1, [false, true]));
}

#[test]
fn what_the_file_system_left_out_is_noticed() {
    let file = file();
    rustix::fs::fchmod(&file, Mode::from_raw_mode(0o644)).unwrap();
    let own = facts_of(Made::Open(&file)).unwrap();
    let noticed = |facts: &Facts, mode: u32, keep: Keep| {
        let mut noticed = Vec::new();
        compare(Made::Open(&file), facts, mode, keep, &mut |loss, why| noticed.push((loss, why.to_string()))).unwrap();
        noticed
    };
    let time = Time { seconds: own.modified.seconds, nanoseconds: own.modified.nanoseconds ^ 1 };
    let (uid, gid) = (own.uid, own.gid);
    for (facts, mode, expected) in [
        (own.clone(), 0o644, None),
        (Facts { uid: uid + 1, ..own.clone() }, 0o644, Some((Loss::Owner, format!("{uid} should be {}", uid + 1)))),
        (Facts { gid: gid + 1, ..own.clone() }, 0o644, Some((Loss::Group, format!("{gid} should be {}", gid + 1)))),
        (own.clone(), 0o600, Some((Loss::Permissions, "644 should be 600".to_owned()))),
        (
            Facts { modified: time, ..own.clone() },
            0o644,
            Some((Loss::Time, "the file system keeps it less exactly, or not".to_owned())),
        ),
        (
            Facts { mode: 0o2644, ..own.clone() },
            0o644,
            Some((Loss::SetId, "it would act for another owner".to_owned())),
        ),
    ] {
        assert_eq!(noticed(&facts, mode, Keep::default()), Vec::from_iter(expected), "{facts:?}");
    }
    let all_other = Facts { uid: uid + 1, gid: gid + 1, modified: time, ..own };
    assert!(noticed(&all_other, 0o600, NONE).is_empty());
}

#[test]
fn a_link_is_dressed_and_what_it_leads_to_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (target, link) = (folder.path().join("target"), folder.path().join("link"));
    fs::write(&target, b"content").unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("target", &link).unwrap();
    let before = facts_of(Made::Open(&File::open(&target).unwrap())).unwrap();
    let open = File::open(folder.path()).unwrap();
    let facts = Facts {
        mode: 0o700,
        uid: 7,
        gid: 8,
        modified: Time { seconds: 5, nanoseconds: 6 },
        attributes: vec![attribute("trusted.a", b"of the link")],
    };
    let (found, losses) = dressed(Made::Link(open.as_fd(), b"link", &link), &facts, Keep::default());
    // Links have no permissions of their own.
    assert_eq!(found, Facts { mode: 0o777, ..facts });
    assert!(losses.finish("dressing").unwrap().is_empty());
    assert_eq!(facts_of(Made::Open(&File::open(&target).unwrap())).unwrap(), before);
}

#[test]
fn a_pipe_is_dressed_without_waiting_for_its_other_end() {
    let folder = tempfile::tempdir().unwrap();
    let (open, path) = (File::open(folder.path()).unwrap(), folder.path().join("pipe"));
    system::make_node(open.as_fd(), OsStr::new("pipe"), rustix::fs::FileType::Fifo, 0).unwrap();
    let facts = Facts { attributes: vec![attribute("trusted.a", b"of the pipe")], mode: 0o640, ..facts() };
    let (found, losses) = dressed(Made::Node(open.as_fd(), b"pipe", &path), &facts, Keep::default());
    assert_eq!(found, facts);
    assert!(losses.finish("dressing").unwrap().is_empty());
}

#[test]
fn a_folder_forgets_its_lists_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let open = File::open(folder.path()).unwrap();
    for list in ["system.posix_acl_access", "system.posix_acl_default"] {
        open.set_xattr(list, &guests()).unwrap();
    }
    open.set_xattr("user.a", b"stays").unwrap();
    fs::create_dir(folder.path().join("before")).unwrap();
    assert!(xattr::get(folder.path().join("before"), "system.posix_acl_default").unwrap().is_some());
    forget_lists(&open).unwrap();
    assert_eq!(Made::Open(&open).attributes().unwrap(), [attribute("user.a", b"stays")]);
    fs::create_dir(folder.path().join("behind")).unwrap();
    assert!(xattr::get(folder.path().join("behind"), "system.posix_acl_default").unwrap().is_none());
    // There is nothing left to forget.
    forget_lists(&open).unwrap();
    let error = forget_lists(&File::open("/proc/self/status").unwrap());
    assert!(error.is_ok(), "{error:?}");
}

#[test]
fn attributes_are_sorted_by_their_names() {
    let file = file();
    let names = ["user.c", "trusted.b", "user.a", "user.a.b", "user.B", "trusted.a"];
    names.iter().for_each(|name| file.set_xattr(name, name.as_bytes()).unwrap());
    let found = Made::Open(&file).attributes().unwrap();
    let sorted = ["trusted.a", "trusted.b", "user.B", "user.a", "user.a.b", "user.c"];
    assert_eq!(found, sorted.map(|name| attribute(name, name.as_bytes())));
}

#[test]
fn a_file_that_cannot_be_what_it_should_be_is_told_with_the_way_out() {
    let found = tempfile::NamedTempFile::new().unwrap();
    let own = facts_of_file(found.as_file(), found.path()).unwrap().unwrap();
    assert_eq!((own.uid, own.mode), (fs::metadata(found.path()).unwrap().uid(), 0o600));
    let odd = Facts { attributes: vec![attribute("nowhere.a", b"value")], ..own.clone() };
    let error = dress_file(found.as_file(), found.path(), &odd, Keep::default()).unwrap_err();
    let expected = format!(
        "NEW cannot be made as it should be: the attribute nowhere.a of {} (Operation not supported (os error 95))",
        found.path().display()
    );
    assert_eq!((error.kind(), error.to_string()), (Kind::Environment, expected));
    assert!(error.hint().unwrap().starts_with("go on without: --no-xattrs; "), "{error:?}");
    let without = Keep { attributes: false, ..Keep::default() };
    assert!(dress_file(found.as_file(), found.path(), &odd, without).unwrap().is_empty());
    // What is usual is told and no error.
    let other = Facts { uid: own.uid + 1, mode: 0o4755, ..own };
    let lost = dress_file(found.as_file(), found.path(), &other, Keep { owner: false, ..Keep::default() }).unwrap();
    let [lost] = &lost[..] else { panic!("{lost:?}") };
    assert_eq!((lost.option, lost.first.as_str()), ("--no-owner", found.path().to_str().unwrap()));
}
