"""Entries of layers, by archives of Python's own writer and by odd ones."""

import io
import tarfile
import unittest

from layers.entries import entries, octal, pax_size_of


def archive(form, *names):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as writer:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(name)
            writer.addfile(member, io.BytesIO(name.encode()))
    return out.getvalue()


class Entries(unittest.TestCase):
    def test_entries_are_all_of_a_layer(self):
        for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
            layer = archive(form, "a", "folder/b", "c" * 99)
            found = entries(layer)
            self.assertEqual(b"".join(entry.whole for entry in found), layer)
            self.assertEqual([entry.has_header for entry in found], [True, True, True, False])
            self.assertEqual(found[1].content_bytes, b"folder/b")

    def test_long_names_are_entries_of_their_own(self):
        self.assertEqual(len(entries(archive(tarfile.GNU_FORMAT, "d" * 300))), 3)

    def test_what_is_no_tar_is_one_entry(self):
        for layer in (b"text", bytes(5000), b"\xff" * 1024):
            self.assertEqual([(entry.has_header, entry.whole) for entry in entries(layer)], [(False, layer)])

    def test_what_is_cut_is_no_header(self):
        layer = archive(tarfile.USTAR_FORMAT, "a")[:512]
        self.assertFalse(entries(layer)[0].has_header)

    def test_octal_fields(self):
        for field, number in [(b"0000644\0", 420), (b"  644   ", 420), (b"644", 420), (b"9", None), (b"64x", None), (b"   ", None)]:
            self.assertEqual(octal(field), number)

    def test_sizes_of_pax(self):
        self.assertEqual(pax_size_of(b"9 a=text\n12 size=123\n"), 123)
        self.assertEqual(pax_size_of(b"9 a=text\n", 5), 5)
        for content in (b"99 size=123\n", b"12 size=123 ", b"+13 size=123\n", b"13 size=+123\n", b"9 no text\n12 size=123\n", b"29 size=18446744073709551616\n"):
            self.assertIsNone(pax_size_of(content))
