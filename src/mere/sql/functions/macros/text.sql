-- Strings, patterns, binary strings.
-- name(arguments) = expression; one macro a paragraph, see mere.sql.macros.

mere_fit_text(x, n, name) = CASE WHEN length(x) <= n OR x IS NULL THEN x WHEN rtrim(substring(x, n + 1), ' ') = '' THEN left(x, n)
    ELSE error(concat('22001:value too long for type ', name)) END

mere_substr_from(x, s) = substring(x, greatest(CAST(s AS BIGINT), 1))

mere_substr(x, s, n) = CASE WHEN n < 0 THEN error('22011:negative substring length not allowed') WHEN x IS NULL OR s IS NULL OR n IS NULL THEN NULL
    ELSE substring(x, greatest(CAST(s AS BIGINT), 1), greatest(CAST(s AS BIGINT) + n, 1) - greatest(CAST(s AS BIGINT), 1)) END

mere_blob_substr(x, s, n) = CASE WHEN n < 0 THEN error('22011:negative substring length not allowed') WHEN x IS NULL OR s IS NULL OR n IS NULL THEN NULL
    ELSE unhex(substring(hex(x), (greatest(CAST(s AS BIGINT), 1) - 1) * 2 + 1, (greatest(CAST(s AS BIGINT) + n, 1) - greatest(CAST(s AS BIGINT), 1)) * 2)) END

mere_blob_substr_from(x, s) = unhex(substring(hex(x), (greatest(CAST(s AS BIGINT), 1) - 1) * 2 + 1))

mere_lpad(x, n, fill) = CASE WHEN n <= 0 THEN CASE WHEN x IS NOT NULL AND fill IS NOT NULL THEN '' END WHEN fill = '' THEN left(x, n) ELSE lpad(x, n, fill) END

mere_rpad(x, n, fill) = CASE WHEN n <= 0 THEN CASE WHEN x IS NOT NULL AND fill IS NOT NULL THEN '' END WHEN fill = '' THEN left(x, n) ELSE rpad(x, n, fill) END

mere_repeat(x, n) = CASE WHEN n <= 0 THEN CASE WHEN x IS NOT NULL THEN '' END ELSE repeat(x, CAST(n AS BIGINT)) END

mere_replace(x, a, b) = CASE WHEN a = '' AND b IS NOT NULL THEN x ELSE replace(x, a, b) END

mere_word_case(t) = upper(left(t, 1)) || substring(t, 2)

mere_initcap(x) = CASE WHEN x IS NOT NULL THEN array_to_string(list_transform(regexp_extract_all(lower(x), '[\p{L}\p{N}]+|[^\p{L}\p{N}]+'), lambda t: mere_word_case(t)), '') END

mere_split_part(x, d, n) = CASE WHEN n = 0 THEN error('22023:field position must not be zero') WHEN d = '' THEN CASE WHEN n IN (1, -1) THEN x ELSE '' END ELSE split_part(x, d, n) END

mere_chr(n) = CASE WHEN n = 0 THEN error('54000:null character not permitted') WHEN n < 0 THEN error('22023:character number must be positive')
    WHEN n > 1114111 THEN error(concat('54000:requested character too large for encoding: ', n)) ELSE chr(CAST(n AS INTEGER)) END

mere_ascii(x) = CASE WHEN x = '' THEN 0 ELSE ascii(x) END

mere_overlay(x, y, s, n) = CASE WHEN s <= 0 THEN error('22011:negative substring length not allowed') ELSE mere_substr(x, 1, s - 1) || y || mere_substr_from(x, s + n) END

mere_to_hex4(x) = CASE WHEN x < 0 THEN right(lower(hex(CAST(x AS BIGINT))), 8) ELSE lower(hex(CAST(x AS BIGINT))) END

mere_to_hex8(x) = lower(hex(CAST(x AS BIGINT)))

mere_to_bin4(x) = CASE WHEN x < 0 THEN right(bin(CAST(x AS BIGINT)), 32) ELSE bin(CAST(x AS BIGINT)) END

mere_octal_byte(t) = printf('%02X', (ascii(substring(t, 2, 1)) - 48) * 64 + (ascii(substring(t, 3, 1)) - 48) * 8 + ascii(substring(t, 4, 1)) - 48)

mere_escape_token(t) = CASE WHEN t = '\\' THEN '5C' WHEN starts_with(t, '\') THEN mere_octal_byte(t) ELSE hex(encode(t)) END

mere_decode_escape(x) = CASE WHEN regexp_full_match(x, '(?s)(\\\\|\\[0-3][0-7][0-7]|[^\\])*') THEN unhex(array_to_string(list_transform(regexp_extract_all(x, '(?s)\\\\|\\[0-3][0-7][0-7]|[^\\]+'), lambda t: mere_escape_token(t)), ''))
    WHEN x IS NOT NULL THEN error('22P02:invalid input syntax for type bytea') END

mere_octal3(n) = concat(n // 64, n // 8 % 8, n % 8)

mere_escape_byte(h) = CASE WHEN h = '5C' THEN '\\' WHEN h = '00' OR h >= '80' THEN concat('\', mere_octal3(CAST(concat('0x', h) AS INTEGER))) ELSE decode(unhex(h)) END

mere_encode_escape(x) = CASE WHEN x IS NOT NULL THEN array_to_string(list_transform(regexp_extract_all(hex(x), '..'), lambda h: mere_escape_byte(h)), '') END

mere_encode(x, format) = CASE lower(format) WHEN 'hex' THEN lower(hex(x)) WHEN 'base64' THEN regexp_replace(regexp_replace(to_base64(x), '(.{76})', '\1' || chr(10), 'g'), '\n$', '')
    WHEN 'escape' THEN mere_encode_escape(x) ELSE CASE WHEN x IS NULL OR format IS NULL THEN NULL ELSE error(concat('22023:unrecognized encoding: "', format, '"')) END END

mere_decode_hex(x) = CASE WHEN length(x) % 2 = 1 THEN error('22023:invalid hexadecimal data: odd number of digits') WHEN regexp_full_match(x, '[0-9A-Fa-f]*') THEN unhex(x)
    WHEN x IS NOT NULL THEN error(concat('22023:invalid hexadecimal digit: "', regexp_extract(x, '[^0-9A-Fa-f]'), '"')) END

mere_decode(x, format) = CASE lower(format) WHEN 'hex' THEN mere_decode_hex(regexp_replace(x, '\s', '', 'g')) WHEN 'base64' THEN from_base64(regexp_replace(x, '\s', '', 'g'))
    WHEN 'escape' THEN mere_decode_escape(x) ELSE CASE WHEN x IS NULL OR format IS NULL THEN NULL ELSE error(concat('22023:unrecognized encoding: "', format, '"')) END END

mere_text_to_bytea(x) = CASE WHEN starts_with(x, '\x') THEN mere_decode_hex(regexp_replace(substring(x, 3), '\s', '', 'g')) WHEN contains(x, '\') THEN mere_decode_escape(x) ELSE encode(x) END

mere_text_to_bool(x) = CASE WHEN x IS NULL THEN NULL WHEN trim(lower(x)) IN ('t', 'tr', 'tru', 'true', 'y', 'ye', 'yes', 'on', '1') THEN true
    WHEN trim(lower(x)) IN ('f', 'fa', 'fal', 'fals', 'false', 'n', 'no', 'of', 'off', '0') THEN false
    ELSE error(concat('22P02:invalid input syntax for type boolean: "', x, '"')) END

mere_text_to_uuid(x) = CASE WHEN x IS NULL THEN NULL WHEN TRY_CAST(trim(x, '{}') AS UUID) IS NOT NULL THEN TRY_CAST(trim(x, '{}') AS UUID)
    ELSE error(concat('22P02:invalid input syntax for type uuid: "', x, '"')) END

mere_string_to_array(x, d) = CASE WHEN x IS NULL THEN NULL WHEN x = '' THEN CAST([] AS VARCHAR[]) WHEN d IS NULL THEN string_split(x, '') WHEN d = '' THEN [x] ELSE string_split(x, d) END

mere_string_to_array_null(x, d, n) = list_transform(mere_string_to_array(x, d), lambda e: CASE WHEN e = n THEN NULL ELSE e END)

mere_quote_literal(x) = CASE WHEN contains(x, '\') THEN concat('E''', replace(replace(x, '\', '\\'), '''', ''''''), '''') WHEN x IS NOT NULL THEN concat('''', replace(x, '''', ''''''), '''') END

mere_quote_nullable(x) = coalesce(mere_quote_literal(x), 'NULL')

mere_regex(p, prefix) = CASE WHEN starts_with(p, '***') OR regexp_matches(p, '\\[1-9]|\(\?[=!<]') THEN error('0A000:regular expressions with back references, lookaround or directors are not supported')
    ELSE concat(CASE WHEN starts_with(p, '(?') AND NOT starts_with(p, '(?:') THEN '' ELSE prefix END, replace(replace(replace(replace(p, '\m', '\b'), '\M', '\b'), '\y', '\b'), '\Z', '\z')) || CASE WHEN p IS NULL THEN NULL ELSE '' END END

mere_regex_replacement(r) = replace(r, '\&', '\0')

mere_regex_first(x, p, n) = CASE WHEN regexp_matches(x, p) THEN regexp_extract(x, p, n) END

mere_regex_count(x, p) = CAST(len(regexp_extract_all(x, p)) AS INTEGER)

mere_regex_count_from(x, p, s) = CASE WHEN s < 1 THEN error(concat('22023:invalid value for parameter "start": ', s)) ELSE mere_regex_count(substring(x, s), p) END

mere_regex_nth(x, p, s, n, g) = CASE WHEN s < 1 THEN error(concat('22023:invalid value for parameter "start": ', s)) WHEN n < 1 THEN error(concat('22023:invalid value for parameter "n": ', n))
    ELSE list_extract(regexp_extract_all(substring(x, s), p, g), n) END

mere_regex_position(x, p) = CASE WHEN x IS NULL OR p IS NULL THEN NULL WHEN regexp_matches(x, p) THEN CAST(length(regexp_extract(x, concat('(?s)^(.*?)(?:', p, ')'), 1)) + 1 AS INTEGER) ELSE 0 END

mere_regex_split(x, p) = CASE WHEN x = '' THEN [''] ELSE regexp_split_to_array(x, p) END

mere_any_true(results) = CASE WHEN results IS NULL THEN NULL WHEN list_contains(results, true) THEN true WHEN len(list_filter(results, lambda r: r IS NULL)) > 0 THEN NULL ELSE false END

mere_all_true(results) = CASE WHEN results IS NULL THEN NULL WHEN list_contains(results, false) THEN false WHEN len(list_filter(results, lambda r: r IS NULL)) > 0 THEN NULL ELSE true END

mere_shift_left_16(x, n) = CAST(CAST(CASE WHEN (CAST(x AS INTEGER) * (1 << (n % 32)::INTEGER)::BIGINT) & 65535 >= 32768 THEN ((CAST(x AS INTEGER) * (1 << (n % 32)::INTEGER)::BIGINT) & 65535) - 65536 ELSE (CAST(x AS INTEGER) * (1 << (n % 32)::INTEGER)::BIGINT) & 65535 END AS BIGINT) AS SMALLINT)

mere_low32(v) = CASE WHEN v & 4294967295 >= 2147483648 THEN (v & 4294967295) - 4294967296 ELSE v & 4294967295 END

mere_shift_left_32(x, n) = CAST(mere_low32(CAST(x AS HUGEINT) * CAST(power(2, n % 32) AS HUGEINT)) AS INTEGER)

mere_low64(v) = CASE WHEN v & 18446744073709551615 >= 9223372036854775808 THEN (v & 18446744073709551615) - 18446744073709551616 ELSE v & 18446744073709551615 END

mere_shift_left_64(x, n) = CAST(mere_low64(CAST(x AS HUGEINT) * CAST(power(2, n % 64) AS HUGEINT)) AS BIGINT)

mere_shift_right_16(x, n) = CAST(floor(x / power(2, n % 32)) AS SMALLINT)

mere_shift_right_32(x, n) = CAST(floor(x / power(2, n % 32)) AS INTEGER)

mere_shift_right_64(x, n) = CAST(x AS BIGINT) >> CAST(n % 64 AS BIGINT)

mere_pad_number(t, n) = CASE WHEN length(t) > n THEN t ELSE lpad(t, n, ' ') END

mere_number_pieces(x, whole, decimals) = concat(left(regexp_replace(split_part(x, '.', 1), '[^0-9]', '', 'g'), whole), '.', left(regexp_replace(split_part(x, '.', 2), '[^0-9]', '', 'g'), decimals))

mere_to_number(x, whole, decimals) = CASE WHEN x IS NULL THEN NULL WHEN NOT regexp_matches(x, '[0-9]') THEN error('22P02:invalid input syntax for type numeric: " "')
    WHEN decimals > 0 AND length(regexp_replace(split_part(x, '.', 1), '[^0-9]', '', 'g')) > whole THEN error('22003:numeric field overflow')
    ELSE concat(CASE WHEN regexp_matches(x, '-|<') THEN '-' ELSE '' END, '0', mere_number_pieces(x, whole, decimals)) END

mere_text_concat(a, b) = a || b

mere_like(x, p) = x LIKE p ESCAPE '\'

mere_not_like(x, p) = x NOT LIKE p ESCAPE '\'

mere_array_item(t) = CASE WHEN starts_with(t, '"') THEN regexp_replace(substring(t, 2, length(t) - 2), '\\(.)', '\1', 'g')
    WHEN upper(rtrim(t)) = 'NULL' THEN NULL ELSE regexp_replace(rtrim(t), '\\(.)', '\1', 'g') END

mere_text_to_array(x) = CASE WHEN x IS NULL THEN NULL WHEN regexp_full_match(x, '\s*\{\s*\}\s*') THEN CAST([] AS VARCHAR[])
    WHEN regexp_full_match(x, '(?s)\s*\{\s*\{.*') THEN error('0A000:arrays of more than one dimension are not supported')
    WHEN regexp_full_match(x, '(?s)\s*\{\s*("(?:[^"\\]|\\.)*"|(?:[^,"{}\\]|\\.)+)\s*(,\s*("(?:[^"\\]|\\.)*"|(?:[^,"{}\\]|\\.)+)\s*)*\}\s*')
    THEN list_transform(regexp_extract_all(regexp_extract(x, '(?s)^\s*\{(.*)\}\s*$', 1), '(?s)\s*("(?:[^"\\]|\\.)*"|(?:[^,"{}\\]|\\.)+)\s*(?:,|$)', 1), lambda t: mere_array_item(t))
    ELSE error(concat('22P02:malformed array literal: "', x, '"')) END

mere_byte_at(h, i) = CAST('0x' || substring(h, CAST(i AS BIGINT) * 2 + 1, 2) AS INTEGER)

mere_byte_place(b, i) = CASE WHEN i < 0 OR i >= octet_length(b) THEN error(concat('2202E:index ', i, ' out of valid range, 0..', octet_length(b) - 1)) ELSE i END

mere_get_byte(b, i) = mere_byte_at(hex(b), mere_byte_place(b, i))

mere_with_byte(h, i, v) = unhex(concat(left(h, CAST(i AS BIGINT) * 2), printf('%02X', v), substring(h, CAST(i AS BIGINT) * 2 + 3))) || CASE WHEN v IS NULL OR h IS NULL OR i IS NULL THEN NULL ELSE ''::BLOB END

mere_set_byte(b, i, v) = mere_with_byte(hex(b), mere_byte_place(b, i), CAST(v & 255 AS INTEGER))

mere_bit_place(b, i) = CASE WHEN i < 0 OR i >= octet_length(b) * 8 THEN error(concat('2202E:index ', i, ' out of valid range, 0..', octet_length(b) * 8 - 1)) ELSE i END

mere_get_bit(b, i) = CAST((mere_byte_at(hex(b), mere_bit_place(b, i) // 8) >> CAST(i % 8 AS INTEGER)) & 1 AS INTEGER)

mere_new_byte(old, i, v) = CASE WHEN v = 1 THEN old | (1 << i) WHEN v = 0 THEN old & (255 - (1 << i)) WHEN v IS NOT NULL THEN error('22023:new bit must be 0 or 1') END

mere_set_bit(b, i, v) = mere_with_byte(hex(b), mere_bit_place(b, i) // 8, CAST(mere_new_byte(mere_byte_at(hex(b), mere_bit_place(b, i) // 8), CAST(i % 8 AS INTEGER), v) AS INTEGER))

mere_blob_bit_count(b) = CASE WHEN octet_length(b) = 0 THEN 0 ELSE CAST(bit_count(CAST(b AS BIT)) AS BIGINT) END

mere_blob_prefix(h, x) = concat('^((?:..)*?)', x) || CASE WHEN x IS NULL OR h IS NULL THEN NULL ELSE '' END

mere_hex_position(h, x) = CASE WHEN regexp_matches(h, mere_blob_prefix(h, x)) THEN CAST(length(regexp_extract(h, mere_blob_prefix(h, x), 1)) // 2 + 1 AS INTEGER) WHEN h IS NOT NULL AND x IS NOT NULL THEN 0 END

mere_blob_position(b, x) = mere_hex_position(hex(b), hex(x))

mere_blob_set(x) = concat('(?:', array_to_string(regexp_extract_all(hex(x), '..'), '|'), ')+') || CASE WHEN x IS NULL THEN NULL ELSE '' END

mere_blob_ltrim(b, x) = CASE WHEN octet_length(x) = 0 THEN b ELSE unhex(regexp_replace(hex(b), concat('^', mere_blob_set(x)), '')) END

mere_blob_rtrim(b, x) = CASE WHEN octet_length(x) = 0 THEN b ELSE unhex(regexp_replace(hex(b), concat(mere_blob_set(x), '$'), '')) END

mere_blob_btrim(b, x) = mere_blob_rtrim(mere_blob_ltrim(b, x), x)

mere_blob_reverse(b) = unhex(array_to_string(list_reverse(regexp_extract_all(hex(b), '..')), ''))

mere_blob_overlay(x, y, s, n) = CASE WHEN s <= 0 THEN error('22011:negative substring length not allowed') ELSE mere_blob_substr(x, 1, s - 1) || y || mere_blob_substr_from(x, CAST(s AS BIGINT) + n) END

mere_blob_overlay_whole(x, y, s) = mere_blob_overlay(x, y, s, octet_length(y))

mere_identifier(x, quoted) = CASE WHEN x IS NULL THEN error('22004:null values cannot be formatted as an SQL identifier') ELSE quoted END

mere_bits_of4(x, n) = right(concat(CASE WHEN x < 0 THEN repeat('1', n) ELSE repeat('0', n) END, right(bin(CAST(x AS BIGINT) + 4294967296), 32)), n) || CASE WHEN x IS NULL THEN NULL ELSE '' END

mere_bits_of8(x, n) = right(concat(CASE WHEN x < 0 THEN repeat('1', n) ELSE repeat('0', n) END, lpad(bin(CAST(x AS BIGINT)), 64, '0')), n) || CASE WHEN x IS NULL THEN NULL ELSE '' END

mere_hex_bits(h) = CASE WHEN NOT regexp_full_match(h, '[0-9A-Fa-f]*') THEN error(concat('22P02:"', regexp_extract(h, '[^0-9A-Fa-f]'), '" is not a valid hexadecimal digit'))
    WHEN h = '' THEN '' ELSE right(CAST(CAST(unhex(CASE WHEN length(h) % 2 = 1 THEN concat('0', h) ELSE h END) AS BIT) AS VARCHAR), CAST(length(h) * 4 AS INTEGER)) END

mere_checked_bits(t) = CASE WHEN regexp_full_match(t, '[01]*') THEN t WHEN t IS NOT NULL THEN error(concat('22P02:"', regexp_extract(t, '[^01]'), '" is not a valid binary digit')) END

mere_text_to_bits(t) = CASE WHEN regexp_matches(t, '^[xX]') THEN mere_hex_bits(substring(t, 2)) WHEN regexp_matches(t, '^[bB]') THEN mere_checked_bits(substring(t, 2)) ELSE mere_checked_bits(t) END

mere_bit_fit(x, n) = rpad(left(x, n), n, '0')

mere_bits_unsigned(x) = CASE WHEN x = '' THEN 0 ELSE CAST(CAST(nullif(x, '') AS BIT) AS BIGINT) END

mere_bits_to_int4(x) = CASE WHEN length(x) > 32 THEN error('22003:integer out of range') ELSE CAST(mere_low32(CAST(mere_bits_unsigned(x) AS HUGEINT)) AS INTEGER) END

mere_bits_to_int8(x) = CASE WHEN length(x) > 64 THEN error('22003:bigint out of range') ELSE mere_bits_unsigned(x) END

mere_bit_count(x) = CAST(length(replace(x, '0', '')) AS BIGINT)

mere_bit_octets(x) = CAST((length(x) + 7) // 8 AS INTEGER)

mere_bit_index(x, i) = CASE WHEN i < 0 OR i >= length(x) THEN error(concat('2202E:bit index ', i, ' out of valid range (0..', length(x) - 1, ')')) ELSE i END

mere_bit_get(x, i) = CAST(substring(x, mere_bit_index(x, i) + 1, 1) AS INTEGER)

mere_bit_set(x, i, v) = CASE WHEN v NOT IN (0, 1) THEN error('22023:new bit must be 0 or 1') ELSE left(x, mere_bit_index(x, i)) || CAST(v AS VARCHAR) || substring(x, i + 2) END

mere_bit_same_size(a, b, verb) = CASE WHEN length(a) != length(b) THEN error(concat('22026:cannot ', verb, ' bit strings of different sizes')) ELSE nullif(b, '') END

mere_bit_and(a, b) = coalesce(CAST(CAST(nullif(a, '') AS BIT) & CAST(mere_bit_same_size(a, b, 'AND') AS BIT) AS VARCHAR), a || b)

mere_bit_or(a, b) = coalesce(CAST(CAST(nullif(a, '') AS BIT) | CAST(mere_bit_same_size(a, b, 'OR') AS BIT) AS VARCHAR), a || b)

mere_bit_xor(a, b) = coalesce(CAST(xor(CAST(nullif(a, '') AS BIT), CAST(mere_bit_same_size(a, b, 'XOR') AS BIT)) AS VARCHAR), a || b)

mere_bit_not(x) = translate(x, '01', '10')

mere_bit_left(x, n) = CASE WHEN n >= 0 THEN rpad(substring(x, CAST(n AS BIGINT) + 1), CAST(length(x) AS INTEGER), '0') ELSE lpad(left(x, greatest(length(x) + n, 0)), CAST(length(x) AS INTEGER), '0') END

mere_bit_right(x, n) = mere_bit_left(x, -CAST(n AS BIGINT))

mere_bit_send(x) = unhex(lpad(hex(CAST(length(x) AS BIGINT)), 8, '0')) || coalesce(CAST(CAST(nullif(rpad(x, CAST((length(x) + 7) // 8 * 8 AS INTEGER), '0'), '') AS BIT) AS BLOB), ''::BLOB)
