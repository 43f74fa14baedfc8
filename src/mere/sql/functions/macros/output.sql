-- Values as PostgreSQL prints them.
-- name(arguments) = expression; one macro a paragraph, see mere.sql.macros.

mere_bool_out(x) = CASE WHEN x THEN 't' WHEN NOT x THEN 'f' END

mere_nonfinite_out(x) = CASE WHEN isnan(x) THEN 'NaN' WHEN x > 0 THEN 'Infinity' WHEN x < 0 THEN '-Infinity' END

mere_float_fixed(text) = CASE WHEN suffix(text, '.0') THEN left(text, -2) ELSE text END

mere_float8_out(x) = CASE WHEN NOT isfinite(x) THEN mere_nonfinite_out(x)
    WHEN abs(x) >= 1e15 THEN mere_kernel_float8_out(x) ELSE mere_float_fixed(CAST(x AS VARCHAR)) END

mere_float4_out(x) = mere_kernel_float4_out(x)

mere_float_rounded_out(x, pattern) = CASE WHEN NOT isfinite(x) THEN mere_nonfinite_out(x) ELSE printf(pattern, CAST(x AS DOUBLE)) END

mere_bytea_out(x) = concat('\x', lower(hex(x))) || CASE WHEN x IS NULL THEN NULL ELSE '' END

mere_era_out(text) = concat(replace(text, ' (BC)', ''), ' BC')

mere_date_out(x) = CASE WHEN x < '0001-01-01' AND isfinite(x) THEN mere_era_out(CAST(x AS VARCHAR)) ELSE CAST(x AS VARCHAR) END

mere_timestamptz_out_utc(x) = CASE WHEN NOT isfinite(x) THEN CAST(CAST(x AS TIMESTAMP) AS VARCHAR)
    WHEN x >= '0001-01-01 00:00:00+00' THEN CAST(make_timestamp(epoch_us(x)) AS VARCHAR) || '+00'
    ELSE replace(CAST(make_timestamp(epoch_us(x)) AS VARCHAR), ' (BC)', '') || '+00 BC' END

mere_offset_out(seconds) = concat(CASE WHEN seconds < 0 THEN '-' WHEN seconds >= 0 THEN '+' END, lpad(CAST(abs(seconds) // 3600 AS VARCHAR), 2, '0'),
    CASE WHEN seconds % 3600 = 0 THEN '' ELSE concat(':', lpad(CAST(abs(seconds) % 3600 // 60 AS VARCHAR), 2, '0')) END,
    CASE WHEN seconds % 60 = 0 THEN '' ELSE concat(':', lpad(CAST(abs(seconds) % 60 AS VARCHAR), 2, '0')) END) || CASE WHEN seconds IS NULL THEN NULL ELSE '' END

mere_zone_offset(x, zone) = CAST((epoch_us(timezone(zone, x)) - epoch_us(timezone('UTC', x))) // 1000000 AS INTEGER)

mere_timestamptz_out(x, zone) = CASE WHEN NOT isfinite(x) THEN CAST(CAST(x AS TIMESTAMP) AS VARCHAR)
    WHEN x >= '0001-01-02 00:00:00+00' THEN CAST(timezone(zone, x) AS VARCHAR) || mere_offset_out(mere_zone_offset(x, zone))
    ELSE replace(CAST(timezone(zone, x) AS VARCHAR), ' (BC)', '') || mere_offset_out(mere_zone_offset(x, zone)) || ' BC' END

mere_timetz_out(x) = CAST(x AS VARCHAR)

mere_interval_unit(n, name, before) = CASE WHEN n = 0 THEN '' ELSE concat(CASE WHEN before < 0 AND n > 0 THEN '+' ELSE '' END, CAST(n AS VARCHAR), ' ', name, CASE WHEN n = 1 THEN '' ELSE 's' END) END

mere_clock_out(us) = concat(CASE WHEN us < 36000000000 THEN '0' ELSE '' END, CAST(us // 3600000000 AS VARCHAR), ':', lpad(CAST(us % 3600000000 // 60000000 AS VARCHAR), 2, '0'), ':',
    lpad(CAST(us % 60000000 // 1000000 AS VARCHAR), 2, '0'),
    CASE WHEN us % 1000000 = 0 THEN '' ELSE concat('.', rtrim(lpad(CAST(us % 1000000 AS VARCHAR), 6, '0'), '0')) END)

mere_interval_clock(us, before, alone) = CASE WHEN us = 0 AND NOT alone THEN '' ELSE concat(CASE WHEN us < 0 THEN '-' WHEN before < 0 THEN '+' ELSE '' END, mere_clock_out(abs(us))) END

mere_interval_months(x) = CAST(datepart('year', x) * 12 + datepart('month', x) AS BIGINT)

mere_interval_days(x) = CAST(datepart('day', x) AS BIGINT)

mere_interval_us(x) = CAST(datepart('hour', x) AS BIGINT) * 3600000000 + CAST(datepart('minute', x) AS BIGINT) * 60000000 + CAST(datepart('microsecond', x) AS BIGINT)

mere_interval_join(years, months, days, us) = concat_ws(' ', nullif(mere_interval_unit(years, 'year', 0), ''), nullif(mere_interval_unit(months, 'mon', years), ''),
    nullif(mere_interval_unit(days, 'day', CASE WHEN months != 0 THEN months ELSE years END), ''),
    nullif(mere_interval_clock(us, CASE WHEN days != 0 THEN days WHEN months != 0 THEN months ELSE years END, years = 0 AND months = 0 AND days = 0), ''))

mere_interval_parts(x) = {'y': mere_interval_months(x) // 12, 'm': mere_interval_months(x) % 12, 'd': mere_interval_days(x), 'u': mere_interval_us(x)}

mere_interval_out(x) = CASE WHEN x IS NOT NULL THEN list_extract(list_transform(list_transform([x], lambda i: mere_interval_parts(i)), lambda p: mere_interval_join(p['y'], p['m'], p['d'], p['u'])), 1) END

mere_array_item_out(x) = CASE WHEN x IS NULL THEN 'NULL'
    WHEN x = '' OR regexp_matches(x, '[\s{}",\\]') OR lower(x) = 'null' THEN concat('"', replace(replace(x, '\', '\\'), '"', '\"'), '"') ELSE x END

mere_array_out(x) = CASE WHEN x IS NOT NULL THEN concat('{', array_to_string(list_transform(x, lambda e: mere_array_item_out(e)), ','), '}') END

mere_plain_array_out(x) = CASE WHEN x IS NOT NULL THEN concat('{', array_to_string(list_transform(x, lambda e: coalesce(e, 'NULL')), ','), '}') END

mere_row_field_out(x) = CASE WHEN x IS NULL THEN '' WHEN x = '' OR regexp_matches(x, '[\s(),"\\]')
    THEN concat('"', replace(replace(x, '\', '\\'), '"', '""'), '"') ELSE x END

mere_quotient_scale(x) = CASE WHEN abs(x) > 10000000000000000 THEN 0 WHEN abs(x) > 1000000000000 THEN 4 WHEN abs(x) > 100000000 THEN 8
    WHEN abs(x) > 10000 THEN 12 WHEN abs(x) > 1 THEN 16 ELSE 20 END

mere_quotient_out(x, low) = CASE greatest(mere_quotient_scale(x), low) WHEN 20 THEN CAST(CAST(x AS DECIMAL(38,20)) AS VARCHAR)
    WHEN 16 THEN CAST(CAST(x AS DECIMAL(38,16)) AS VARCHAR) WHEN 12 THEN CAST(CAST(x AS DECIMAL(38,12)) AS VARCHAR)
    WHEN 8 THEN CAST(CAST(x AS DECIMAL(38,8)) AS VARCHAR) WHEN 4 THEN CAST(CAST(x AS DECIMAL(38,4)) AS VARCHAR)
    WHEN 0 THEN CAST(CAST(x AS DECIMAL(38,0)) AS VARCHAR)
    ELSE left(CAST(x AS VARCHAR), strpos(CAST(x AS VARCHAR), '.') + greatest(mere_quotient_scale(x), low)) END

mere_trimmed_out(x) = CASE WHEN contains(CAST(x AS VARCHAR), '.') THEN rtrim(rtrim(CAST(x AS VARCHAR), '0'), '.') ELSE CAST(x AS VARCHAR) END

mere_jsonb_spaced(t) = replace(replace(replace(regexp_replace(t, '("(?:[^"\\]|\\.)*")|([,:])|\s+', concat('\1', chr(1), '\2 ', chr(2)), 'g'), concat(chr(1), ' ', chr(2)), ''), chr(1), ''), chr(2), '')

mere_jsonb_out(x) = mere_jsonb_spaced(CAST(x AS VARCHAR))
