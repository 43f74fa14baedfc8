-- Dates, times and intervals.
-- name(arguments) = expression; one macro a paragraph, see mere.sql.macros.

mere_interval_of(months, days, us) = to_months(CAST(months AS INTEGER)) + to_days(CAST(days AS INTEGER)) + to_microseconds(CAST(us AS BIGINT))

mere_from_us(us) = make_timestamp(CAST(us AS BIGINT))

mere_timestamptz_add(x, i, zone) = timezone(zone, timezone(zone, x) + mere_interval_of(mere_interval_months(i), mere_interval_days(i), 0)) + to_microseconds(mere_interval_us(i))

mere_timestamptz_subtract(x, i, zone) = timezone(zone, timezone(zone, x) - mere_interval_of(mere_interval_months(i), mere_interval_days(i), 0)) - to_microseconds(mere_interval_us(i))

mere_time_us(t) = epoch_us(DATE '1970-01-01' + t)

mere_us_time(us) = CAST(make_timestamp(((us % 86400000000) + 86400000000) % 86400000000) AS TIME)

mere_time_add(t, i) = mere_us_time(mere_time_us(t) + mere_interval_us(i))

mere_time_subtract(t, i) = mere_us_time(mere_time_us(t) - mere_interval_us(i))

mere_time_difference(a, b) = to_microseconds(mere_time_us(a) - mere_time_us(b))

mere_interval_negate(i) = mere_interval_of(-mere_interval_months(i), -mere_interval_days(i), -mere_interval_us(i))

mere_month_days(months) = round((months - trunc(months)) * 30, 6)

mere_with_days(p) = {'m': p['m'], 'd': p['d'], 'u': p['u'], 'md': mere_month_days(p['m'])}

mere_with_rest(p) = {'m': trunc(p['m']), 'd': trunc(p['d']) + trunc(p['md']), 'u': p['u'], 'rest': round((p['d'] - trunc(p['d']) + p['md'] - trunc(p['md'])) * 86400, 6)}

mere_carried(p) = mere_interval_of(p['m'], p['d'] + trunc(p['rest'] / 86400), round_even(p['u'] + (p['rest'] - trunc(p['rest'] / 86400) * 86400) * 1000000, 0))

mere_scaled_interval(months, days, us) = list_extract(list_transform(list_transform(list_transform([{'m': months, 'd': days, 'u': us}],
    lambda p: mere_with_days(p)), lambda p: mere_with_rest(p)), lambda p: mere_carried(p)), 1)

mere_interval_multiply(i, f) = CASE WHEN i IS NULL OR f IS NULL THEN NULL
    ELSE mere_scaled_interval(mere_interval_months(i) * f, mere_interval_days(i) * f, mere_interval_us(i) * f) END

mere_interval_divide(i, f) = CASE WHEN f = 0 THEN error('22012:division by zero') WHEN i IS NULL OR f IS NULL THEN NULL
    ELSE mere_scaled_interval(mere_interval_months(i) / f, mere_interval_days(i) / f, mere_interval_us(i) / f) END

mere_avg_interval(total, n) = CASE WHEN n > 0 THEN mere_interval_divide(total, CAST(n AS DOUBLE)) END

mere_carry_sign(whole, rest) = CASE WHEN whole > 0 AND rest < 0 THEN -1 WHEN whole < 0 AND rest > 0 THEN 1 ELSE 0 END

mere_parts(i) = {'m': mere_interval_months(i), 'd': mere_interval_days(i), 'u': mere_interval_us(i)}

mere_hours_parts(p) = {'m': p['m'], 'd': p['d'] + p['u'] // 86400000000, 'u': p['u'] % 86400000000, 'c': mere_carry_sign(p['d'] + p['u'] // 86400000000, p['u'] % 86400000000)}

mere_days_parts(p) = {'m': p['m'] + p['d'] // 30, 'd': p['d'] % 30, 'u': p['u'], 'c': mere_carry_sign(p['m'] + p['d'] // 30, p['d'] % 30)}

mere_justify_hours(i) = CASE WHEN i IS NOT NULL THEN list_extract(list_transform(list_transform([mere_parts(i)], lambda p: mere_hours_parts(p)),
    lambda p: mere_interval_of(p['m'], p['d'] + p['c'], p['u'] - p['c'] * 86400000000)), 1) END

mere_justify_days(i) = CASE WHEN i IS NOT NULL THEN list_extract(list_transform(list_transform([mere_parts(i)], lambda p: mere_days_parts(p)),
    lambda p: mere_interval_of(p['m'] + p['c'], p['d'] - p['c'] * 30, p['u'])), 1) END

mere_justify_total(us) = mere_interval_of(us // 2592000000000, us % 2592000000000 // 86400000000, us % 86400000000)

mere_justify_interval(i) = CASE WHEN i IS NOT NULL THEN list_extract(list_transform([CAST(mere_interval_months(i) AS HUGEINT) * 2592000000000 + mere_interval_days(i) * 86400000000 + mere_interval_us(i)],
    lambda t: mere_justify_total(t)), 1) END

mere_interval_epoch(i) = CAST(CAST(mere_interval_months(i) // 12 AS DECIMAL(18,0)) * 31557600 + CAST(mere_interval_months(i) % 12 AS DECIMAL(18,0)) * 2592000
    + CAST(mere_interval_days(i) AS DECIMAL(18,0)) * 86400 + CAST(mere_interval_us(i) AS DECIMAL(24,0)) * 0.000001 AS DECIMAL(30,6))

mere_us_seconds(us) = CAST(us AS DECIMAL(24,0)) * 0.000001

mere_us_millis(us) = CAST(us AS DECIMAL(24,0)) * 0.001

mere_epoch(x) = CAST(mere_us_seconds(epoch_us(x)) AS DECIMAL(24,6))

mere_round_us(us, unit) = CAST(((abs(us) + unit // 2) // unit) * unit * sign(us) AS BIGINT)

mere_round_timestamp(x, unit) = CASE WHEN isfinite(x) THEN make_timestamp(mere_round_us(epoch_us(x), unit)) ELSE x END

mere_round_timestamptz(x, unit) = CASE WHEN isfinite(x) THEN timezone('UTC', make_timestamp(mere_round_us(epoch_us(x), unit))) ELSE x END

mere_round_time(x, unit) = CASE WHEN mere_round_us(mere_time_us(x), unit) = 86400000000 THEN TIME '24:00:00' ELSE CAST(make_timestamp(mere_round_us(mere_time_us(x), unit)) AS TIME) END

mere_year(x) = CASE WHEN year(x) > 0 THEN year(x) ELSE year(x) - 1 END

mere_isoyear(x) = CASE WHEN isoyear(x) > 0 THEN isoyear(x) ELSE isoyear(x) - 1 END

mere_decade(x) = CASE WHEN year(x) >= 0 THEN year(x) // 10 ELSE -((9 - year(x)) // 10) END

mere_century(x) = CASE WHEN year(x) > 0 THEN (year(x) + 99) // 100 ELSE -((100 - year(x)) // 100) END

mere_millennium(x) = CASE WHEN year(x) > 0 THEN (year(x) + 999) // 1000 ELSE -((1000 - year(x)) // 1000) END

mere_decade_start(x) = make_timestamp(CAST(CASE WHEN year(x) > 0 THEN year(x) // 10 * 10 ELSE -((9 - year(x)) // 10) * 10 END AS BIGINT), 1::BIGINT, 1::BIGINT, 0::BIGINT, 0::BIGINT, 0::DOUBLE)

mere_interval_to_time(i) = mere_us_time(mere_interval_us(i))

mere_make_date(y, m, d) = CASE WHEN y IS NULL OR m IS NULL OR d IS NULL THEN NULL
    WHEN y > 0 AND m BETWEEN 1 AND 12 AND d BETWEEN 1 AND 31 AND TRY_CAST(concat(lpad(CAST(y AS VARCHAR), 4, '0'), '-', m, '-', d) AS DATE) IS NOT NULL THEN make_date(y, m, d)
    ELSE error(concat('22008:date field value out of range: ', y, '-', lpad(CAST(m AS VARCHAR), 2, '0'), '-', lpad(CAST(d AS VARCHAR), 2, '0'))) END

mere_make_time(h, m, s) = CASE WHEN h IS NULL OR m IS NULL OR s IS NULL THEN NULL WHEN h BETWEEN 0 AND 23 AND m BETWEEN 0 AND 59 AND s >= 0 AND s < 60
    THEN make_time(CAST(h AS BIGINT), CAST(m AS BIGINT), s) ELSE error(concat('22008:time field value out of range: ', h, ':', lpad(CAST(m AS VARCHAR), 2, '0'), ':', mere_float8_out(s))) END

mere_make_timestamp(y, mo, d, h, mi, s) = CASE WHEN s IS NOT NULL THEN mere_make_date(y, mo, d) + mere_make_time(h, mi, CASE WHEN s = 60 THEN 0 ELSE s END)
    + CASE WHEN s = 60 THEN INTERVAL 1 MINUTE ELSE INTERVAL 0 MINUTE END END

mere_make_interval(y, mo, w, d, h, mi, s) = mere_interval_of(y * 12 + mo, w * 7 + d, CAST(h AS BIGINT) * 3600000000 + CAST(mi AS BIGINT) * 60000000 + CAST(round(s * 1000000) AS BIGINT))

mere_before_christ(x) = CASE WHEN regexp_matches(x, '(?i)\d\s*BC\s*$') THEN trim(regexp_replace(x, '^\s*(\d+-\d+-\d+)\s*(.*?)\s*[bB][cC]\s*$', '\1 (BC) \2')) ELSE x END

mere_is_day(x) = regexp_full_match(x, '(?i)\s*([+-]?infinity|epoch|\d+[-/ ]\d{1,2}[-/ ]\d{1,2}([ T]\s*\d.*)?(\s+BC)?)\s*')

mere_text_to_date(x) = CASE WHEN x IS NULL THEN NULL WHEN mere_is_day(x) AND TRY_CAST(mere_before_christ(x) AS DATE) IS NOT NULL THEN TRY_CAST(mere_before_christ(x) AS DATE)
    WHEN regexp_full_match(x, '\s*\d{4}-\d{1,2}-\d{1,2}\s*') THEN error(concat('22008:date/time field value out of range: "', x, '"'))
    ELSE error(concat('22007:invalid input syntax for type date: "', x, '"')) END

mere_text_to_timestamp(x) = CASE WHEN x IS NULL THEN NULL
    WHEN TRY_CAST(regexp_replace(x, '([+-]\d\d(:?\d\d)?|Z|\s+UTC)\s*$', '') AS TIMESTAMP) IS NOT NULL AND regexp_matches(x, ':') THEN TRY_CAST(regexp_replace(x, '([+-]\d\d(:?\d\d)?|Z|\s+UTC)\s*$', '') AS TIMESTAMP)
    WHEN TRY_CAST(mere_before_christ(x) AS TIMESTAMP) IS NOT NULL THEN TRY_CAST(mere_before_christ(x) AS TIMESTAMP)
    WHEN regexp_matches(x, '^\s*\d{4}-\d{1,2}-\d{1,2}') THEN error(concat('22008:date/time field value out of range: "', x, '"'))
    ELSE error(concat('22007:invalid input syntax for type timestamp: "', x, '"')) END

mere_has_offset(x) = regexp_matches(x, ':\d\d(\.\d+)?\s*([+-]\d|Z|UTC)')

mere_text_to_timestamptz(x, zone) = CASE WHEN x IS NULL THEN NULL
    WHEN mere_has_offset(x) AND TRY_CAST(mere_before_christ(x) AS TIMESTAMPTZ) IS NOT NULL THEN TRY_CAST(mere_before_christ(x) AS TIMESTAMPTZ)
    WHEN NOT mere_has_offset(x) AND TRY_CAST(mere_before_christ(x) AS TIMESTAMP) IS NOT NULL THEN timezone(zone, TRY_CAST(mere_before_christ(x) AS TIMESTAMP))
    WHEN regexp_matches(x, '^\s*\d{4}-\d{1,2}-\d{1,2}') THEN error(concat('22008:date/time field value out of range: "', x, '"'))
    ELSE error(concat('22007:invalid input syntax for type timestamp with time zone: "', x, '"')) END

mere_text_to_time(x) = CASE WHEN x IS NULL THEN NULL WHEN TRY_CAST(x AS TIME) IS NOT NULL THEN TRY_CAST(x AS TIME)
    WHEN regexp_matches(x, '^\s*\d+:\d+') THEN error(concat('22008:date/time field value out of range: "', x, '"'))
    ELSE error(concat('22007:invalid input syntax for type time: "', x, '"')) END

mere_text_to_timetz(x, zone) = CASE WHEN x IS NULL THEN NULL
    WHEN TRY_CAST(x AS TIMETZ) IS NOT NULL AND (zone = 'UTC' OR regexp_matches(x, '\d\s*([+-]\d|Z|UTC)')) THEN TRY_CAST(x AS TIMETZ)
    WHEN TRY_CAST(x AS TIMETZ) IS NOT NULL THEN error('0A000:time with time zone in a session whose TimeZone is not UTC is not supported')
    WHEN regexp_matches(x, '^\s*\d+:\d+') THEN error(concat('22008:date/time field value out of range: "', x, '"'))
    ELSE error(concat('22007:invalid input syntax for type time with time zone: "', x, '"')) END

mere_text_to_interval(x) = CASE WHEN x IS NULL THEN NULL WHEN TRY_CAST(replace(x, '+', '') AS INTERVAL) IS NOT NULL THEN TRY_CAST(replace(x, '+', '') AS INTERVAL)
    ELSE error(concat('22007:invalid input syntax for type interval: "', x, '"')) END

mere_time_to_timetz(x, zone) = CASE WHEN zone = 'UTC' THEN CAST(x AS TIMETZ) ELSE error('0A000:time with time zone in a session whose TimeZone is not UTC is not supported') END

mere_timestamptz_to_timetz(x, zone) = CASE WHEN x IS NOT NULL THEN CAST(concat(CAST(timezone(zone, x) AS TIME), mere_offset_out(mere_zone_offset(x, zone))) AS TIMETZ) END

mere_date_trunc_zone(unit, x, zone) = timezone(zone, date_trunc(unit, timezone(zone, x)))

mere_century_start(x) = make_timestamp(CAST((CAST(year(x) AS BIGINT) + 99) // 100 * 100 - 99 AS BIGINT), 1::BIGINT, 1::BIGINT, 0::BIGINT, 0::BIGINT, 0::DOUBLE)

mere_millennium_start(x) = make_timestamp(CAST((CAST(year(x) AS BIGINT) + 999) // 1000 * 1000 - 999 AS BIGINT), 1::BIGINT, 1::BIGINT, 0::BIGINT, 0::BIGINT, 0::DOUBLE)

mere_date_bin(stride, x, origin) = CASE WHEN mere_interval_months(stride) != 0 THEN error('0A000:timestamps cannot be binned into intervals containing months or years')
    WHEN mere_interval_days(stride) * 86400000000 + mere_interval_us(stride) <= 0 THEN error('22008:stride must be greater than zero')
    ELSE make_timestamp(epoch_us(origin) + CAST(floor((epoch_us(x) - epoch_us(origin))::DOUBLE / (mere_interval_days(stride) * 86400000000 + mere_interval_us(stride))) AS BIGINT) * (mere_interval_days(stride) * 86400000000 + mere_interval_us(stride))) END

mere_date_bin_zoned(stride, x, origin) = timezone('UTC', mere_date_bin(stride, timezone('UTC', x), timezone('UTC', origin)))

mere_overlaps(s1, e1, s2, e2) = CASE WHEN least(s1, e1) = least(s2, e2) THEN true ELSE least(s1, e1) < greatest(s2, e2) AND least(s2, e2) < greatest(s1, e1) END

mere_parse_time(x, format, covered, name) = CASE WHEN x IS NULL THEN NULL WHEN try_strptime(x, format) IS NOT NULL THEN try_strptime(x, format)
    WHEN try_strptime(trim(regexp_extract(x, covered)), format) IS NOT NULL THEN try_strptime(trim(regexp_extract(x, covered)), format)
    WHEN regexp_matches(x, covered) THEN error(concat('22008:date/time field value out of range: "', x, '"')) ELSE error(concat('22007:invalid value "', x, '" for ', name)) END

mere_meridiem(x, am, pm) = CASE WHEN hour(x) < 12 THEN am WHEN hour(x) >= 12 THEN pm END

mere_ordinal(n) = CASE WHEN CAST(n AS BIGINT) % 100 BETWEEN 11 AND 13 THEN 'th' ELSE CASE CAST(n AS BIGINT) % 10 WHEN 1 THEN 'st' WHEN 2 THEN 'nd' WHEN 3 THEN 'rd' ELSE 'th' END END

mere_julian(x) = CAST(CAST(x AS DATE) - DATE '1970-01-01' AS BIGINT) + 2440588

mere_roman_month(x) = list_extract(['I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX', 'X', 'XI', 'XII'], month(x))

mere_ancient_century(y) = CASE WHEN abs(y) // 100 + 1 <= 99 THEN concat('-', lpad(CAST(abs(y) // 100 + 1 AS VARCHAR), 2, '0')) ELSE CAST(-(abs(y) // 100) - 1 AS VARCHAR) END

mere_two_digits(n) = lpad(CAST(n AS VARCHAR), 2, '0')

mere_hours_text(n) = CASE WHEN abs(n) < 10 THEN concat('0', abs(n)) ELSE CAST(abs(n) AS VARCHAR) END

mere_clock() = mere_kernel_clock(random())
