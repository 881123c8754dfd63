"""The arithmetic decoder (FORMAT.md, section 19.2)."""

WORD = (1 << 32) - 1


class Decoder:
    """Decodes what `coded` holds byte by byte; `predictor` learns from it."""

    def __init__(self, predictor, coded):
        self.predictor, self.coded, self.at = predictor, coded, 4
        self.low, self.high, self.code = 0, WORD, int.from_bytes((coded + bytes(4))[:4], "big")

    def byte(self):
        for _ in range(8):
            middle = self.low + ((self.high - self.low) * self.predictor.probability() >> 16)
            bit = int(self.code <= middle)
            self.low, self.high = (self.low, middle) if bit else (middle + 1, self.high)
            self.predictor.learn(bit)
            while (self.low ^ self.high) >> 24 == 0:
                self.low, self.high = self.low << 8 & WORD, self.high << 8 & WORD | 0xFF
                self.code = self.code << 8 & WORD | (self.coded[self.at] if self.at < len(self.coded) else 0)
                self.at += 1
        return self.predictor.past.data[-1]
