-- to_char: numbers as pictures, and pieces of dates.
-- name(arguments) = expression; one macro a paragraph, see mere.sql.macros.

mere_digits_text(x) = CAST(abs(x) AS VARCHAR)

mere_whole_digits(text) = CASE WHEN starts_with(text, '0.') OR text = '0' THEN 0 ELSE length(split_part(text, '.', 1)) END

mere_fraction_digits(text) = split_part(text, '.', 2)

mere_min_scale(x) = CASE WHEN x IS NOT NULL THEN CAST(length(rtrim(split_part(CAST(x AS VARCHAR), '.', 2), '0')) AS INTEGER) END

mere_cut_zeros(digits, keep) = left(digits, keep) || rtrim(substring(digits, keep + 1), '0')

mere_whole_part(text, forced, point) = CASE WHEN mere_whole_digits(text) < forced THEN lpad(split_part(text, '.', 1), forced, '0')
    WHEN mere_whole_digits(text) = 0 AND point THEN '' ELSE split_part(text, '.', 1) END

mere_picture_digit(padded, i) = substring(padded, i, 1)

mere_picture_index(whole, i) = length(regexp_replace(left(whole, i), ',', '', 'g'))

mere_picture_char(padded, whole, i) = CASE WHEN substring(whole, i, 1) = ','
    THEN CASE WHEN mere_picture_index(whole, i) > 0 AND substring(padded, mere_picture_index(whole, i), 1) != ' ' THEN ',' ELSE ' ' END
    ELSE substring(padded, mere_picture_index(whole, i), 1) END

mere_picture(digits, positions, whole) = CASE WHEN contains(whole, ',')
    THEN array_to_string(list_transform(range(1, length(whole) + 1), lambda i: mere_picture_char(lpad(digits, positions, ' '), whole, i)), '')
    ELSE lpad(digits, positions, ' ') END

mere_sign_floating(body, negative, fill) = CASE WHEN fill THEN CASE WHEN negative THEN '-' ELSE '' END || ltrim(body, ' ')
    ELSE lpad(CASE WHEN negative THEN '-' ELSE ' ' END || ltrim(body, ' '), CAST(length(body) + 1 AS INTEGER), ' ') END

mere_sign_s_leading(body, negative, fill) = CASE WHEN fill THEN CASE WHEN negative THEN '-' ELSE '+' END || ltrim(body, ' ')
    ELSE lpad(CASE WHEN negative THEN '-' ELSE '+' END || ltrim(body, ' '), CAST(length(body) + 1 AS INTEGER), ' ') END

mere_sign_s_trailing(body, negative, fill) = CASE WHEN fill THEN ltrim(body, ' ') ELSE body END || CASE WHEN negative THEN '-' ELSE '+' END

mere_sign_sg_leading(body, negative, fill) = CASE WHEN negative THEN '-' ELSE '+' END || CASE WHEN fill THEN ltrim(body, ' ') ELSE body END

mere_sign_sg_trailing(body, negative, fill) = mere_sign_s_trailing(body, negative, fill)

mere_sign_mi_leading(body, negative, fill) = CASE WHEN negative THEN '-' WHEN fill THEN '' ELSE ' ' END || CASE WHEN fill THEN ltrim(body, ' ') ELSE body END

mere_sign_mi_trailing(body, negative, fill) = CASE WHEN fill THEN ltrim(body, ' ') ELSE body END || CASE WHEN negative THEN '-' WHEN fill THEN '' ELSE ' ' END

mere_sign_pl_leading(body, negative, fill) = CASE WHEN negative THEN ' ' ELSE '+' END || mere_sign_floating(body, negative, fill)

mere_sign_pl_trailing(body, negative, fill) = mere_sign_floating(body, negative, fill) || CASE WHEN negative THEN ' ' ELSE '+' END

mere_sign_brackets(body, negative, fill) = CASE WHEN fill THEN CASE WHEN negative THEN '<' || ltrim(body, ' ') || '>' ELSE ltrim(body, ' ') END
    WHEN negative THEN lpad('<' || ltrim(body, ' '), CAST(length(body) + 1 AS INTEGER), ' ') || '>' ELSE ' ' || body || ' ' END

mere_day_seconds(x) = hour(x) * 3600 + minute(x) * 60 + second(x)

mere_thousands(y) = CAST(y // 1000 AS VARCHAR) || ',' || lpad(CAST(y % 1000 AS VARCHAR), 3, '0')

mere_roman_digit(n, one, five, ten) = list_extract(['', one, one || one, one || one || one, one || five, five, five || one, five || one || one, five || one || one || one, one || ten], CAST(n + 1 AS BIGINT))

mere_roman_text(n) = concat(repeat('M', n // 1000), mere_roman_digit(n // 100 % 10, 'C', 'D', 'M'), mere_roman_digit(n // 10 % 10, 'X', 'L', 'C'), mere_roman_digit(n % 10, 'I', 'V', 'X'))

mere_roman(x) = CASE WHEN x IS NULL THEN NULL WHEN round_even(x, 0) BETWEEN 1 AND 3999 THEN mere_roman_text(CAST(round_even(x, 0) AS BIGINT)) ELSE '###############' END

mere_significant(text) = ltrim(replace(text, '.', ''), '0')

mere_exponent(text) = CASE WHEN starts_with(text, '0') THEN -(length(split_part(text, '.', 2)) - length(ltrim(split_part(text, '.', 2), '0')) + 1) ELSE length(split_part(text, '.', 1)) - 1 END

mere_rounded_text(text, digits) = CASE WHEN digits = 0 THEN CAST(round(CAST(text AS DECIMAL(38,36)), 0)::DECIMAL(38,0) AS VARCHAR) ELSE left(CAST(round(CAST(text AS DECIMAL(38,36)), digits) AS VARCHAR), strpos(CAST(round(CAST(text AS DECIMAL(38,36)), digits) AS VARCHAR), '.') + digits) END

mere_scientific_text(text, digits) = CASE WHEN mere_significant(text) = '' THEN concat(mere_rounded_text('0', digits), 'e+00')
    ELSE concat(mere_rounded_text(concat(left(mere_significant(text), 1), '.', substring(mere_significant(text), 2)), digits), CASE WHEN mere_exponent(text) < 0 THEN 'e-' ELSE 'e+' END, lpad(CAST(abs(mere_exponent(text)) AS VARCHAR), 2, '0')) END

mere_plain_text(x) = regexp_replace(CAST(abs(x) AS VARCHAR), '^[.]', '0.')

mere_scientific(x, digits) = CASE WHEN x IS NOT NULL THEN concat(CASE WHEN x < 0 THEN '-' ELSE '' END, mere_scientific_text(mere_plain_text(x), digits)) END

mere_number_ordinal(x, fits) = CASE WHEN x < 0 OR NOT fits THEN '' ELSE mere_ordinal(CAST(x AS BIGINT)) END
