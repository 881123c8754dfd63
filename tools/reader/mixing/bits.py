"""The probability of the next bit (FORMAT.md, sections 19.3 and 19.5 to 19.7)."""

from .contexts import NUMBERS, Past, magnitude, spread

CURVE = [int(number) for number in """22 36 60 98 162 267 439 720 1179 1921 3108 4971 7812 11955 17625 24743 32768 40793
47911 53581 57724 60565 62428 63615 64357 64816 65097 65269 65374 65438 65476 65500 65514""".split()]
CONTEXTS = 12


def cut(logit):
    return max(-2047, min(2047, logit))


def between(points, logit):
    """The value of points at a logit, as section 19.3 interpolates."""
    step, part = logit + 2048 >> 7, logit + 2048 & 127
    return points[step] * (128 - part) + points[step + 1] * part >> 7


SQUASHED = {logit: between(CURVE, logit) for logit in range(-2047, 2048)}
STRETCHED = [next((x for x in range(-2047, 2048) if SQUASHED[x] >> 4 >= q), 2047) for q in range(4096)]


def towards(value, bit, one, asked):
    """`value` after a bit: `one` is what stands for 1."""
    return value + (((one if bit else 0) - value) * (131072 // (2 * asked + 3)) >> 16)


class Counter:
    def __init__(self, value):
        self.value, self.asked = value, 0

    def logit(self):
        return STRETCHED[self.value >> 10]

    def learn(self, bit):
        self.value = towards(self.value, bit, (1 << 22) - 1, self.asked)
        self.asked = min(self.asked + 1, 255)


class Slots:
    def __init__(self, length):
        wanted = max(1024, min(24 * length, 1 << 19))
        self.mask = (1 << (wanted - 1).bit_length()) - 1
        self.lines = {}
        self.histories = [[self.first(history) for history in range(256)] for _ in range(CONTEXTS)]
        self.found, self.now = [], []

    @staticmethod
    def first(history):
        bits, ones = max(history.bit_length() - 1, 0), max(history.bit_count() - 1, 0)
        return Counter(min((1 << 22) - 1, ((8 * ones + 1) << 22) // (8 * bits + 2)))

    def open(self, contexts, half):
        self.found = [self.line(spread(context, half)) for context in contexts]

    def line(self, key):
        mark, place = key >> 8 | 1, (0x9E3779B1 * key & 0xFFFFFFFF) >> 7 & self.mask
        for line in (place, place ^ 1):
            if line in self.lines and self.lines[line][0] == mark:
                return self.lines[line]
        weights = [1 + self.lines[line][1][2] if line in self.lines else 0 for line in (place, place ^ 1)]
        place ^= int(weights[1] < weights[0])
        # The line is emptied where it stands: another context may have found it already.
        line = self.lines.setdefault(place, [])
        line[:] = [mark, *([32768, 1, 0] for _ in range(15))]
        return line

    def ask(self, bits):
        """The logits of all contexts, and how many of 1 to 6 are known."""
        logits, known = [], 0
        self.now = [line[bits] for line in self.found]
        for order, ((value, history, asked), counters) in enumerate(zip(self.now, self.histories)):
            known += int(asked > 0 and 1 <= order <= 6)
            logits += [STRETCHED[value >> 4], counters[history].logit()] if asked else [0, 0]
        return logits, known

    def learn(self, bit):
        for slot, counters in zip(self.now, self.histories):
            value, history, asked = slot
            counters[history].learn(bit)
            longer = 2 * history + bit
            slot[:] = towards(value, bit, 65535, asked), longer & 127 | 128 if longer > 255 else longer, min(asked + 1, 255)


class Repeat:
    def __init__(self, asked, least):
        self.asked, self.least = asked, least
        self.places, self.place, self.length, self.guess = {}, 0, 0, None
        self.counters = [[Counter(1 << 21) for _ in range(2)] for _ in range(64)]

    def follow(self, data):
        if self.length:
            self.place += 1
            self.length += 1
        if len(data) < self.asked:
            return
        key = 0
        for byte in data[-self.asked :]:
            key = spread(key, byte)
        entry = self.places.get(key >> 14, 0)
        if not self.length and entry:
            same = 0
            while same < min(40, entry) and data[entry - 1 - same] == data[-1 - same]:
                same += 1
            if same >= self.least:
                self.place, self.length = entry, same
        self.places[key >> 14] = len(data)

    def ask(self, data, bits):
        self.guess = None
        if self.length:
            expected, known = data[self.place] | 256, bits.bit_length() - 1
            if expected >> 8 - known != bits:
                self.length = 0
            else:
                self.guess = min(self.length, 63), expected >> 7 - known & 1
        return self.counters[self.guess[0]][self.guess[1]].logit() if self.guess else 0

    def learn(self, bit):
        if self.guess:
            length, expected = self.guess
            self.counters[length][expected].learn(bit)


class Network:
    def __init__(self, start, inputs, rate):
        self.start, self.inputs, self.rate, self.sets = start, inputs, rate, {}
        self.used, self.given, self.logit = None, None, 0

    def mix(self, chosen, inputs):
        self.used, self.given = self.sets.setdefault(chosen, [self.start] * self.inputs), inputs
        self.logit = cut(sum(weight * given for weight, given in zip(self.used, inputs)) >> 16)
        return self.logit

    def learn(self, bit):
        error = ((bit << 16) - SQUASHED[self.logit]) * self.rate >> 4
        for place, given in enumerate(self.given):
            changed = self.used[place] + (given * error + 32768 >> 16)
            self.used[place] = (changed + (1 << 31) & 0xFFFFFFFF) - (1 << 31)


class Points:
    def __init__(self):
        self.rows, self.asked = {}, None

    def ask(self, row, logit):
        points = self.rows.setdefault(row, [SQUASHED[cut(128 * (place - 16))] for place in range(33)])
        self.asked = points, (logit + 2048 >> 7) + int(logit + 2048 & 127 >= 64)
        return between(points, logit)

    def learn(self, bit):
        points, place = self.asked
        points[place] += (65535 * bit - points[place]) >> 6


class Predictor:
    def __init__(self, model, length, beside):
        self.past, self.slots, self.bits = Past(model, beside), Slots(length), 1
        self.repeats = Repeat(6, 4), Repeat(3, 2)
        self.first = [Network(4096, 2 * CONTEXTS + 3, 30) for _ in range(4)]
        self.second = Network(16384, 4, 6)
        self.points = Points(), Points()

    def probability(self):
        if self.bits == 1:
            self.slots.open(self.past.contexts(), 0)
        bits, data = self.bits, self.past.data
        done, last = bits.bit_length() - 1, self.past.back(1)
        logits, known = self.slots.ask(bits if done < 4 else 1 << done - 4 | bits & (1 << done - 4) - 1)
        inputs = [*logits, *(repeat.ask(data, bits) for repeat in self.repeats), 256]
        chosen = [bits, 8 * known + done + 64 * bool(self.repeats[0].guess), 8 * last + done, self.kind(done)]
        logit = self.second.mix(bits, [network.mix(one, inputs) for network, one in zip(self.first, chosen)])
        given = [points.ask(row, logit) for points, row in zip(self.points, (bits, bits + 256 * last))]
        return max(32, min(65503, 2 * SQUASHED[logit] + sum(given) >> 2))

    def kind(self, done):
        if self.past.model == NUMBERS:
            return 64 * min(self.past.begun, 3) + min(magnitude(self.past.numbers[0]), 63)
        length = self.repeats[0].length
        return done + (8 + 8 * (min(length, 15) // 4) if length else 0)

    def learn(self, bit):
        for part in (*self.first, self.second, *self.points, self.slots, *self.repeats):
            part.learn(bit)
        self.bits = 2 * self.bits + bit
        if self.bits >= 256:
            self.see(self.bits & 255)
            self.bits = 1
        if 16 <= self.bits < 32:
            self.slots.open(self.past.contexts(), self.bits)

    def see(self, byte):
        self.past.take(byte)
        for repeat in self.repeats:
            repeat.follow(self.past.data)
