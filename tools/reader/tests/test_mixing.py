"""What is mixed, and what is none."""

import unittest

from mixing.bits import SQUASHED, STRETCHED
from mixing.segments import numbers_beside, unmixed
from package.faults import Refused

TEXT = b"the quick brown fox and the quick brown dog\n"
MIXED = bytes.fromhex("01002c1a9084359e946db2092ec72058a140e5b7da894bc6e3e8a48e69b1")


class Mixing(unittest.TestCase):
    def test_text_comes_back(self):
        self.assertEqual(unmixed(MIXED, len(TEXT)), TEXT)

    def test_more_than_may_be_is_refused(self):
        with self.assertRaises(Refused):
            unmixed(MIXED, len(TEXT) - 1)

    def test_a_head_that_is_none_is_refused(self):
        for head in (b"", MIXED[:-1], MIXED + b"\0", b"\x11" + 17 * b"\0\0\0", b"\x01\x04\x01\x01\0", b"\x80" * 9 + b"\0"):
            with self.assertRaises(Refused):
                unmixed(head, 1 << 20)

    def test_logits_and_probabilities(self):
        self.assertEqual((SQUASHED[0], SQUASHED[256], SQUASHED[-2047]), (32768, 47911, 22))
        self.assertEqual((STRETCHED[0], STRETCHED[2048], STRETCHED[4095]), (-2047, 0, 2047))

    def test_numbers_other_than_0(self):
        self.assertEqual(numbers_beside(b"\x05\x00\x81\x01\x80"), [5, 129])
