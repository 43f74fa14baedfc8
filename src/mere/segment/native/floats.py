"""double precision and real as PostgreSQL prints them: the fewest digits that read back as the value. Kernels;
compile time only.

The digits are found as in Giulietti's Schubfach: the powers of ten between which a value's neighbours lie leave two
candidates of one length and two of a digit less, and three products of 128 bits tell which of them lie between the
halfway points to the neighbours. As in PostgreSQL the halfway points themselves never do, of several candidates the
nearest is taken, and of two as near the even one.
"""

from __future__ import annotations

from mere.segment.native.language import below, high_product, load32, load64, store8, store32, store64
from mere.segment.native.text import digits_of, put_digits

LONGEST = 24  # -2.2250738585072014e-308, and no other text is longer

_MINUS, _PLUS, _POINT, _ZERO, _EXPONENT = 45, 43, 46, 48, 101
_NAN = int.from_bytes(b"NaN ", "little")
_INFINITY = int.from_bytes(b"Infinity", "little")
_POWERS = tuple(10**power for power in range(20))

_LEAST, _MOST = -292, 324  # the powers of ten that doubles need
_BITS = 128


def _scaled(power: int) -> int:
    """10**power times the power of two that makes 128 bits of it, rounded up."""
    if power >= 0:
        value: int = 10**power
        shift = _BITS - value.bit_length()
        return value << shift if shift >= 0 else -(-value >> -shift)
    divisor: int = 10**-power
    shift = _BITS + divisor.bit_length() - 1
    return -(-(1 << shift) // divisor)


_HIGH = tuple(_scaled(power) >> 64 for power in range(_LEAST, _MOST + 1))
_LOW = tuple(_scaled(power) % 2**64 for power in range(_LEAST, _MOST + 1))


def _rounded_to_odd(high: int, low: int, value: int) -> int:
    """The upper 64 bits of the product with a number of 128; its lowest bit tells too that there was a rest."""
    middle, above = high * value, high_product(low, value)
    total = middle + above
    whole = high_product(high, value) + below(total, middle)
    return whole | below(1, total)


def shortest(fraction: int, exponent: int, uneven: int) -> tuple[int, int]:
    """The digits, as a whole number, and the power of ten to multiply it by, for fraction * 2**exponent.

    `uneven` is 1 where the neighbour below is half as far as the one above.
    """
    power = ((exponent * 1_262_611 - uneven * 524_031 + (1 << 32)) >> 22) - (1 << 10)  # of ten, in the space between
    shift = exponent + ((1_741_647 * -power + (1 << 31)) >> 19) - (1 << 12) + 1
    high, low = _HIGH[-power - _LEAST], _LOW[-power - _LEAST]
    middle = 4 * fraction
    lower = _rounded_to_odd(high, low, (middle - 2 + uneven) << shift) + 1
    value = _rounded_to_odd(high, low, middle << shift)
    upper = _rounded_to_odd(high, low, (middle + 2) << shift) - 1
    digits = value >> 2
    fewer = digits // 10
    below_fits = lower <= 40 * fewer
    above_fits = 40 * fewer + 40 <= upper
    if digits >= 10 and below_fits != above_fits:
        return fewer + above_fits, power + 1
    below_fits = lower <= 4 * digits
    above_fits = 4 * digits + 4 <= upper
    if below_fits != above_fits:
        return digits + above_fits, power
    halfway = 4 * digits + 2
    return digits + (1 if value > halfway or (value == halfway and digits & 1) else 0), power


def put_number(out: int, digits: int, power: int, precision: int) -> int:
    """digits * 10**power: with an exponent below 1e-4, and from so many digits before the point on."""
    while digits // 100 * 100 == digits:
        digits = digits // 100
        power += 2
    if digits // 10 * 10 == digits:
        digits = digits // 10
        power += 1
    count = digits_of(digits)
    leading = count + power - 1  # the power of ten of the first digit
    if leading < -4 or leading >= precision:
        return _put_with_exponent(out, digits, count, leading)
    if power >= 0:
        put_digits(out, digits * _POWERS[power], leading + 1)
        return out + leading + 1
    whole = digits // _POWERS[-power] if leading >= 0 else 0
    places = leading + 1 if leading >= 0 else 1
    put_digits(out, whole, places)
    store8(out + places, _POINT)
    put_digits(out + places + 1, digits - whole * _POWERS[-power] if leading >= 0 else digits, -power)
    return out + places + 1 - power


def _put_with_exponent(out: int, digits: int, count: int, leading: int) -> int:
    rest = _POWERS[count - 1]
    first = digits // rest
    store8(out, _ZERO + first)
    out += 1
    if count > 1:
        store8(out, _POINT)
        put_digits(out + 1, digits - first * rest, count - 1)
        out += count
    store8(out, _EXPONENT)
    store8(out + 1, _MINUS if leading < 0 else _PLUS)
    if leading < 0:
        leading = -leading
    size = 3 if leading >= 100 else 2
    put_digits(out + 2, leading, size)
    return out + 2 + size


def _put_special(out: int, fraction: int) -> int:
    if fraction:
        store32(out, _NAN)
        return out + 3
    store64(out, _INFINITY)
    return out + 8


def put_float(out: int, bits: int, is_double: int) -> int:
    """A double precision by its 64 bits, or a real by its 32."""
    size = 52 if is_double else 23  # of the fraction
    largest = 2047 if is_double else 255
    exponent = bits >> size & largest
    fraction = bits & (1 << size) - 1
    if bits >> (63 if is_double else 31) & 1 and (exponent != largest or fraction == 0):
        store8(out, _MINUS)
        out += 1
    if exponent == largest:
        return _put_special(out, fraction)
    if exponent == 0 and fraction == 0:
        store8(out, _ZERO)
        return out + 1
    uneven = 1 if fraction == 0 and exponent > 1 else 0
    if exponent:
        fraction = fraction | 1 << size
    else:
        exponent = 1
    digits, power = shortest(fraction, exponent - (1075 if is_double else 150), uneven)
    return put_number(out, digits, power, 15 if is_double else 6)


def print_floats(out: int, ends: int, values: int, count: int, is_double: int) -> int:
    """The texts of so many values, one behind the other, and 32 bits for each that tell where it ends."""
    start = out
    for row in range(count):
        if is_double:
            bits = load64(values + 8 * row)
        else:
            bits = load32(values + 4 * row)
        out = put_float(out, bits, is_double)
        store32(ends + 4 * row, out - start)
    return out - start
