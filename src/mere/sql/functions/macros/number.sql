-- Numbers, their arithmetic, and their input from text.
-- name(arguments) = expression; one macro a paragraph, see mere.sql.macros.

mere_int_div(a, b) = CASE WHEN b = 0 THEN error('22012:division by zero') ELSE a // b END

mere_mod(a, b) = CASE WHEN b = 0 THEN error('22012:division by zero') ELSE a % b END

mere_float_sum(r, a, b) = CASE WHEN isfinite(r) OR NOT isfinite(a) OR NOT isfinite(b) THEN r WHEN r IS NULL THEN NULL ELSE error('22003:value out of range: overflow') END

mere_float_product(r, a, b) = CASE WHEN r = 0 THEN CASE WHEN a = 0 OR b = 0 THEN r ELSE error('22003:value out of range: underflow') END
    WHEN isfinite(r) OR NOT isfinite(a) OR NOT isfinite(b) THEN r WHEN r IS NULL THEN NULL ELSE error('22003:value out of range: overflow') END

mere_float_quotient(r, a, b) = CASE WHEN r = 0 THEN CASE WHEN a = 0 OR NOT isfinite(b) THEN r ELSE error('22003:value out of range: underflow') END
    WHEN isfinite(r) OR NOT isfinite(a) THEN r WHEN r IS NULL THEN NULL ELSE error('22003:value out of range: overflow') END

mere_float_add(a, b) = mere_float_sum(a + b, a, b)

mere_float_subtract(a, b) = mere_float_sum(a - b, a, b)

mere_float_multiply(a, b) = mere_float_product(a * b, a, b)

mere_float_div(a, b) = CASE WHEN b = 0 AND a IS NOT NULL THEN error('22012:division by zero') ELSE mere_float_quotient(a / b, a, b) END

mere_refined(a, b, q) = q + CAST(CAST(a - q * b AS DOUBLE) / CAST(b AS DOUBLE) AS DECIMAL(38,20))

mere_refined_wide(a, b, q) = CAST(q + CAST(CAST(a - q * b AS DOUBLE) / CAST(b AS DOUBLE) AS DECIMAL(28,18)) AS DECIMAL(38,18))

mere_div(a, b) = CASE WHEN b = 0 THEN error('22012:division by zero') ELSE mere_refined(a, b, CAST(CAST(a AS DOUBLE) / CAST(b AS DOUBLE) AS DECIMAL(38,10))) END

mere_div_fine(a, b) = CASE WHEN b = 0 THEN error('22012:division by zero') ELSE mere_refined(a, b, CAST(CAST(a AS DOUBLE) / CAST(b AS DOUBLE) AS DECIMAL(38,4))) END

mere_div_wide(a, b) = CASE WHEN b = 0 THEN error('22012:division by zero') ELSE mere_refined_wide(a, b, CAST(CAST(a AS DOUBLE) / CAST(b AS DOUBLE) AS DECIMAL(38,6))) END

mere_avg(total, n) = CASE WHEN n > 0 THEN mere_refined(total, n, CAST(CAST(total AS DOUBLE) / CAST(n AS DOUBLE) AS DECIMAL(38,10))) END

mere_avg_wide(total, n) = CASE WHEN n > 0 THEN mere_refined_wide(total, n, CAST(CAST(total AS DOUBLE) / CAST(n AS DOUBLE) AS DECIMAL(38,6))) END

mere_round_half_even(x) = round_even(x, 0)

mere_float_text(x) = CASE WHEN isfinite(x) THEN format('{:.15g}', x)
    WHEN x IS NULL THEN NULL ELSE error('0A000:numeric NaN and infinity are not supported') END

mere_real_text(x) = CASE WHEN isfinite(x) THEN format('{:.6g}', CAST(x AS DOUBLE))
    WHEN x IS NULL THEN NULL ELSE error('0A000:numeric NaN and infinity are not supported') END

mere_float_to_decimal(x, s) = CAST(mere_float_text(x) AS DECIMAL(38,15))

mere_float_to_int2(x) = CASE WHEN x IS NULL THEN NULL
    WHEN x >= -32768.5::DOUBLE AND x < 32767.5::DOUBLE THEN CAST(round_even(x, 0) AS SMALLINT) ELSE error('22003:smallint out of range') END

mere_float_to_int4(x) = CASE WHEN x IS NULL THEN NULL
    WHEN x >= -2147483648.5::DOUBLE AND x < 2147483647.5::DOUBLE THEN CAST(round_even(x, 0) AS INTEGER) ELSE error('22003:integer out of range') END

mere_float_to_int8(x) = CASE WHEN x IS NULL THEN NULL
    WHEN x >= -9223372036854775808::DOUBLE AND x < 9223372036854775808::DOUBLE THEN CAST(round_even(x, 0) AS BIGINT) ELSE error('22003:bigint out of range') END

mere_float8_to_float4(x) = CASE WHEN isfinite(x) AND abs(x) > 3.4028235677973366e38::DOUBLE THEN error('22003:value out of range: overflow')
    ELSE CAST(x AS FLOAT) END

mere_checked_float(x, finite) = CASE WHEN isinf(x) AND finite THEN error('22003:value out of range: overflow') ELSE x END

mere_is_integer_text(x) = regexp_full_match(x, '\s*[-+]?([0-9]+(_[0-9]+)*|0[xX](_?[0-9A-Fa-f])+|0[bB](_?[01])+)\s*')

mere_integer_error(x, name) = CASE WHEN mere_is_integer_text(x)
    THEN error(concat('22003:value "', x, '" is out of range for type ', name))
    ELSE error(concat('22P02:invalid input syntax for type ', name, ': "', x, '"')) END

mere_text_to_int2(x) = CASE WHEN x IS NULL THEN NULL WHEN mere_is_integer_text(x) AND TRY_CAST(x AS SMALLINT) IS NOT NULL
    THEN TRY_CAST(x AS SMALLINT) ELSE mere_integer_error(x, 'smallint') END

mere_text_to_int4(x) = CASE WHEN x IS NULL THEN NULL WHEN mere_is_integer_text(x) AND TRY_CAST(x AS INTEGER) IS NOT NULL
    THEN TRY_CAST(x AS INTEGER) ELSE mere_integer_error(x, 'integer') END

mere_text_to_int8(x) = CASE WHEN x IS NULL THEN NULL WHEN mere_is_integer_text(x) AND TRY_CAST(x AS BIGINT) IS NOT NULL
    THEN TRY_CAST(x AS BIGINT) ELSE mere_integer_error(x, 'bigint') END

mere_is_float_text(x) = regexp_full_match(x, '\s*[-+]?(([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|(?i:inf|infinity|nan))\s*')

mere_is_infinity_text(x) = regexp_full_match(x, '\s*[-+]?(?i:inf|infinity)\s*')

mere_text_to_float8(x) = CASE WHEN x IS NULL THEN NULL WHEN NOT mere_is_float_text(x)
    THEN error(concat('22P02:invalid input syntax for type double precision: "', x, '"'))
    WHEN isinf(TRY_CAST(x AS DOUBLE)) AND NOT mere_is_infinity_text(x)
    THEN error(concat('22003:"', x, '" is out of range for type double precision')) ELSE CAST(x AS DOUBLE) END

mere_text_to_float4(x) = CASE WHEN x IS NULL THEN NULL WHEN NOT mere_is_float_text(x)
    THEN error(concat('22P02:invalid input syntax for type real: "', x, '"'))
    WHEN isinf(TRY_CAST(x AS FLOAT)) AND NOT mere_is_infinity_text(x)
    THEN error(concat('22003:"', x, '" is out of range for type real')) ELSE CAST(x AS FLOAT) END

mere_numeric_text(x) = CASE WHEN regexp_full_match(x, '\s*[-+]?([0-9]+(_[0-9]+)*\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*') THEN trim(x)
    WHEN x IS NULL THEN NULL WHEN regexp_full_match(x, '\s*[-+]?(?i:inf|infinity|nan)\s*')
    THEN error('0A000:numeric NaN and infinity are not supported')
    ELSE error(concat('22P02:invalid input syntax for type numeric: "', x, '"')) END

mere_sqrt(x) = CASE WHEN x < 0 THEN error('2201F:cannot take square root of a negative number') ELSE sqrt(x) END

mere_ln(x) = CASE WHEN x = 0 THEN error('2201E:cannot take logarithm of zero')
    WHEN x < 0 THEN error('2201E:cannot take logarithm of a negative number') ELSE ln(x) END

mere_log10(x) = CASE WHEN x = 0 THEN error('2201E:cannot take logarithm of zero')
    WHEN x < 0 THEN error('2201E:cannot take logarithm of a negative number') ELSE log10(x) END

mere_log(b, x) = mere_float_div(mere_ln(x), mere_ln(b))

mere_power(a, b) = CASE WHEN a = 0 AND b < 0 THEN error('2201F:zero raised to a negative power is undefined')
    WHEN a < 0 AND isfinite(b) AND b != floor(b) THEN error('2201F:a negative number raised to a non-integer power yields a complex result')
    WHEN isinf(power(a, b)) AND isfinite(a) AND isfinite(b) THEN error('22003:value out of range: overflow') ELSE power(a, b) END

mere_acosh(x) = CASE WHEN x < 1 THEN error('22003:input is out of range') ELSE acosh(x) END

mere_atanh(x) = CASE WHEN x < -1 OR x > 1 THEN error('22003:input is out of range') WHEN x = 1 THEN CAST('Infinity' AS DOUBLE) WHEN x = -1 THEN CAST('-Infinity' AS DOUBLE) ELSE atanh(x) END

mere_unless_nan(x) = CASE WHEN NOT isnan(x) THEN x END

mere_exp(x) = CASE WHEN isinf(exp(x)) AND isfinite(x) THEN error('22003:value out of range: overflow') ELSE exp(x) END

mere_unit_range(x) = CASE WHEN x < -1 OR x > 1 THEN error('22003:input is out of range') ELSE x END

mere_float_sign(x) = CASE WHEN x > 0 THEN 1::DOUBLE WHEN x < 0 THEN -1::DOUBLE WHEN x = 0 THEN 0::DOUBLE ELSE x END

mere_trunc_float(x) = CASE WHEN isfinite(x) THEN trunc(x) ELSE x END

mere_cbrt(x) = cbrt(x)

mere_gcd(a, b) = abs(gcd(a, b))

mere_lcm(a, b) = CASE WHEN a = 0 OR b = 0 THEN a * 0 ELSE abs(lcm(a, b)) END

mere_factorial(n) = CASE WHEN n < 0 THEN error('22003:factorial of a negative number is undefined')
    WHEN n > 33 THEN error('22003:value out of range: numeric has at most 38 digits') ELSE factorial(CAST(n AS INTEGER)) END

mere_width_bucket(x, low, high, n) = CASE WHEN n <= 0 THEN error('2201G:count must be greater than zero')
    WHEN low = high THEN error('2201G:lower bound cannot equal upper bound')
    WHEN low < high THEN CASE WHEN x < low THEN 0 WHEN x >= high THEN n + 1
        ELSE CAST(floor((x - low)::DOUBLE / (high - low)::DOUBLE * n) AS INTEGER) + 1 END
    ELSE CASE WHEN x > low THEN 0 WHEN x <= high THEN n + 1
        ELSE CAST(floor((low - x)::DOUBLE / (low - high)::DOUBLE * n) AS INTEGER) + 1 END END

mere_width_bucket_array(x, bounds) = CASE WHEN x IS NOT NULL THEN CAST(len(list_filter(bounds, lambda b: b <= x)) AS INTEGER) END

mere_random() = random()

mere_shift_left(x, n, bits) = x << n

mere_to_oct(x) = CASE WHEN x = 0 THEN '0' ELSE ltrim(list_aggregate(list_transform(range(21, -1, -1),
    lambda i: CAST(((x >> CAST(3 * i AS BIGINT)) & 7) & CASE WHEN i = 21 THEN 1 ELSE 7 END AS VARCHAR)), 'string_agg', ''), '0') END

mere_sine_30(x) = sin(radians(x)) / sin(radians(30)) / 2.0

mere_cosine_60(x) = 1.0 - (1.0 - cos(radians(x))) / (1.0 - cos(radians(60))) / 2.0

mere_sine_90(x) = CASE WHEN x <= 30 THEN mere_sine_30(x) ELSE mere_cosine_60(90 - x) END

mere_cosine_90(x) = CASE WHEN x <= 60 THEN mere_cosine_60(x) ELSE mere_sine_30(90 - x) END

mere_turn(x) = CASE WHEN isinf(x) THEN error('22003:input is out of range') ELSE fmod(abs(x), 360) END

mere_half_turn(x) = CASE WHEN x > 180 THEN 360 - x ELSE x END

mere_quarter_turn(x) = CASE WHEN x > 90 THEN 180 - x ELSE x END

mere_reduced(x) = mere_quarter_turn(mere_half_turn(mere_turn(x)))

mere_half_sign(x) = CASE WHEN x < 0 THEN -1 ELSE 1 END * CASE WHEN mere_turn(x) > 180 THEN -1 ELSE 1 END

mere_cosine_sign(x) = CASE WHEN mere_half_turn(mere_turn(x)) > 90 THEN -1 ELSE 1 END

mere_sind(x) = CASE WHEN isnan(x) THEN x ELSE mere_half_sign(x) * mere_sine_90(mere_reduced(x)) + 0.0 END

mere_cosd(x) = CASE WHEN isnan(x) THEN x ELSE mere_cosine_sign(x) * mere_cosine_90(mere_reduced(x)) + 0.0 END

mere_tangent_90(x) = mere_sine_90(x) / mere_cosine_90(x) / (mere_sine_90(45) / mere_cosine_90(45))

mere_cotangent_90(x) = mere_cosine_90(x) / mere_sine_90(x) / (mere_cosine_90(45) / mere_sine_90(45))

mere_tand(x) = CASE WHEN isnan(x) THEN x ELSE mere_half_sign(x) * mere_cosine_sign(x) * mere_tangent_90(mere_reduced(x)) + 0.0 END

mere_cotd(x) = CASE WHEN isnan(x) THEN x ELSE mere_half_sign(x) * mere_cosine_sign(x) * mere_cotangent_90(mere_reduced(x)) + 0.0 END

mere_asin_90(x) = CASE WHEN x <= 0.5 THEN asin(x) / asin(0.5) * 30.0 ELSE 90.0 - acos(x) / acos(0.5) * 60.0 END

mere_acos_90(x) = CASE WHEN x <= 0.5 THEN 90.0 - asin(x) / asin(0.5) * 30.0 ELSE acos(x) / acos(0.5) * 60.0 END

mere_asind(x) = CASE WHEN isnan(x) THEN x WHEN abs(x) > 1 THEN error('22003:input is out of range') WHEN x >= 0 THEN mere_asin_90(x) ELSE 0.0 - mere_asin_90(0.0 - x) END

mere_acosd(x) = CASE WHEN isnan(x) THEN x WHEN abs(x) > 1 THEN error('22003:input is out of range') WHEN x >= 0 THEN mere_acos_90(x) ELSE 90.0 + mere_asin_90(0.0 - x) END

mere_atand(x) = atan(x) / atan(1.0) * 45.0

mere_atan2d(y, x) = atan2(y, x) / atan(1.0) * 45.0

mere_random_between(low, high) = CASE WHEN low > high THEN error('22023:lower bound must be less than or equal to upper bound')
    ELSE low + CAST(hash(gen_random_uuid()) AS HUGEINT) % (CAST(high AS HUGEINT) - low + 1) END

mere_random_normal(mean, deviation) = mean + deviation * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())
