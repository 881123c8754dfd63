"""Numbers, and what is no number."""

import unittest

from package.cursor import Cursor, unfold
from package.faults import Refused


class Numbers(unittest.TestCase):
    def test_the_lowest_digits_come_first(self):
        self.assertEqual(Cursor(b"\xe5\x8e\x26", "").number(), 624485)
        self.assertEqual(Cursor(b"\xff" * 9 + b"\x01", "").number(), 2**64 - 1)

    def test_the_highest_digits_come_first_in_plans_and_hints(self):
        self.assertEqual(Cursor(b"\xba\xef\x9a\x15", "").high_first(), 123456789)

    def test_signs(self):
        self.assertEqual([unfold(number) for number in range(5)], [0, -1, 1, -2, 2])

    def test_what_is_no_number_is_refused(self):
        for data in (b"", b"\x80", b"\xff" * 9 + b"\x02", b"\x80" * 10 + b"\0"):
            with self.assertRaises(Refused):
                Cursor(data, "").number()
            with self.assertRaises(Refused):
                Cursor(b"\xff" * 10 if len(data) > 2 else data, "").high_first()

    def test_bytes_that_are_left_over_are_refused(self):
        with self.assertRaises(Refused):
            Cursor(b"\0", "").must_end()
