-- Dates and intervals in the styles of DateStyle and IntervalStyle other than ISO and postgres.
-- name(arguments) = expression; one macro a paragraph, see mere.sql.macros.

mere_time_text(x) = CAST(CAST(x AS TIME) AS VARCHAR)

mere_styled_date(x, format) = CASE WHEN isfinite(x) AND x >= '0001-01-01' THEN strftime(x, format) ELSE mere_date_out(x) END

mere_styled_timestamp(x, format) = CASE WHEN isfinite(x) AND x >= '0001-01-01' THEN strftime(x, format) || ' ' || mere_time_text(x) ELSE mere_date_out(x) END

mere_worded_timestamp(x, format) = CASE WHEN isfinite(x) AND x >= '0001-01-01' THEN strftime(x, format) || ' ' || mere_time_text(x) || strftime(x, ' %Y') ELSE mere_date_out(x) END

mere_zone_suffix(x, zone) = CASE WHEN isfinite(x) THEN CASE WHEN upper(zone) IN ('UTC', 'ETC/UTC') THEN ' UTC' WHEN upper(zone) = 'GMT' THEN ' GMT' ELSE ' ' || mere_offset_out(mere_zone_offset(x, zone)) END ELSE '' END

mere_seconds_text(us) = concat(us // 1000000, CASE WHEN us % 1000000 = 0 THEN '' ELSE concat('.', rtrim(lpad(CAST(abs(us % 1000000) AS VARCHAR), 6, '0'), '0')) END)

mere_signed_seconds(us) = CASE WHEN us < 0 THEN '-' ELSE '' END || mere_seconds_text(abs(us))

mere_iso_unit(n, mark) = CASE WHEN n = 0 THEN '' ELSE concat(n, mark) END

mere_iso_clock(us) = CASE WHEN us = 0 THEN '' ELSE concat('T', mere_iso_unit(us // 3600000000, 'H'), mere_iso_unit(us % 3600000000 // 60000000, 'M'),
    CASE WHEN us % 60000000 = 0 THEN '' ELSE concat(mere_signed_seconds(us % 60000000), 'S') END) END

mere_iso_interval(months, days, us) = CASE WHEN months = 0 AND days = 0 AND us = 0 THEN 'PT0S'
    ELSE concat('P', mere_iso_unit(months // 12, 'Y'), mere_iso_unit(months % 12, 'M'), mere_iso_unit(days, 'D'), mere_iso_clock(us)) END

mere_interval_out_iso(x) = CASE WHEN x IS NOT NULL THEN mere_iso_interval(mere_interval_months(x), mere_interval_days(x), mere_interval_us(x)) END

mere_plural(n, name) = CASE WHEN n = 0 THEN NULL ELSE concat(n, ' ', name, CASE WHEN n = 1 THEN '' ELSE 's' END) END

mere_verbose_seconds(us) = CASE WHEN us = 0 THEN NULL ELSE concat(mere_signed_seconds(us), ' sec', CASE WHEN us = 1000000 THEN '' ELSE 's' END) END

mere_verbose_parts(months, days, us) = concat_ws(' ', mere_plural(months // 12, 'year'), mere_plural(months % 12, 'mon'), mere_plural(days, 'day'),
    mere_plural(us // 3600000000, 'hour'), mere_plural(us % 3600000000 // 60000000, 'min'), mere_verbose_seconds(us % 60000000))

mere_verbose_interval(months, days, us) = CASE WHEN months = 0 AND days = 0 AND us = 0 THEN '@ 0'
    WHEN (CASE WHEN months != 0 THEN months WHEN days != 0 THEN days ELSE us END) < 0 THEN concat('@ ', mere_verbose_parts(-months, -days, -us), ' ago')
    ELSE concat('@ ', mere_verbose_parts(months, days, us)) END

mere_interval_out_verbose(x) = CASE WHEN x IS NOT NULL THEN mere_verbose_interval(mere_interval_months(x), mere_interval_days(x), mere_interval_us(x)) END

mere_sql_clock(us) = concat(us // 3600000000, ':', lpad(CAST(us % 3600000000 // 60000000 AS VARCHAR), 2, '0'), ':',
    CASE WHEN us % 60000000 < 10000000 THEN '0' ELSE '' END, mere_seconds_text(us % 60000000))

mere_sign_mark(n) = CASE WHEN n < 0 THEN '-' ELSE '+' END

mere_sql_single(months, days, us) = CASE WHEN months != 0 THEN concat(months // 12, '-', months % 12) WHEN days != 0 THEN concat(days, ' ', mere_sql_clock(us)) ELSE mere_sql_clock(us) END

mere_sql_interval(months, days, us) = CASE WHEN months = 0 AND days = 0 AND us = 0 THEN '0'
    WHEN (months != 0 AND (days != 0 OR us != 0)) OR (least(months, days, us) < 0 AND greatest(months, days, us) > 0)
    THEN concat(mere_sign_mark(months), abs(months) // 12, '-', abs(months) % 12, ' ', mere_sign_mark(days), abs(days), ' ', mere_sign_mark(us), mere_sql_clock(abs(us)))
    WHEN least(months, days, us) < 0 THEN concat('-', mere_sql_single(-months, -days, -us)) ELSE mere_sql_single(months, days, us) END

mere_interval_out_sql(x) = CASE WHEN x IS NOT NULL THEN mere_sql_interval(mere_interval_months(x), mere_interval_days(x), mere_interval_us(x)) END
