-- Arrays: one dimension, counted from 1.
-- name(arguments) = expression; one macro a paragraph, see mere.sql.macros.

mere_array_get(a, i) = CASE WHEN i >= 1 THEN list_extract(a, i) END

mere_array_slice(a, i, j) = CASE WHEN a IS NULL OR i IS NULL OR j IS NULL THEN NULL ELSE list_slice(a, greatest(CAST(i AS BIGINT), 1), greatest(least(CAST(j AS BIGINT), len(a)), 0)) END

mere_array_length(a, d) = CASE WHEN d = 1 AND len(a) > 0 THEN CAST(len(a) AS INTEGER) END

mere_array_lower(a, d) = CASE WHEN d = 1 AND len(a) > 0 THEN 1 END

mere_array_ndims(a) = CASE WHEN len(a) > 0 THEN 1 END

mere_array_dims(a) = CASE WHEN len(a) > 0 THEN concat('[1:', len(a), ']') END

mere_array_cat(a, b) = CASE WHEN a IS NULL THEN b WHEN b IS NULL THEN a ELSE list_concat(a, b) END

mere_array_position(a, x) = CASE WHEN x IS NULL THEN CAST(list_extract(list_filter(range(1, len(a) + 1), lambda i: list_extract(a, i) IS NULL), 1) AS INTEGER)
    WHEN list_contains(a, x) THEN CAST(list_position(a, x) AS INTEGER) END

mere_array_positions(a, x) = CASE WHEN a IS NOT NULL THEN CAST(list_filter(range(1, len(a) + 1), lambda i: list_extract(a, i) IS NOT DISTINCT FROM x) AS INTEGER[]) END

mere_array_position_from(a, x, s) = CAST(list_extract(list_filter(range(greatest(s, 1), len(a) + 1), lambda i: list_extract(a, i) IS NOT DISTINCT FROM x), 1) AS INTEGER)

mere_array_remove(a, x) = list_filter(a, lambda e: e IS DISTINCT FROM x)

mere_array_replace(a, x, y) = list_transform(a, lambda e: CASE WHEN e IS NOT DISTINCT FROM x THEN y ELSE e END)

mere_array_contains(a, b) = CASE WHEN a IS NULL OR b IS NULL THEN NULL ELSE list_has_all(a, b) AND len(list_filter(b, lambda e: e IS NULL)) = 0 END

mere_trim_array(a, n) = CASE WHEN n < 0 OR n > len(a) THEN error('2202E:number of elements to trim must be between 0 and ' || len(a)) ELSE list_slice(a, 1, len(a) - n) END

mere_array_fill(x, n) = list_transform(range(0, CAST(n AS BIGINT)), lambda i: x)

mere_array_sort(a) = list_sort(a, 'ASC', 'NULLS LAST')

mere_array_sort_order(a, down) = CASE WHEN down THEN list_sort(a, 'DESC', 'NULLS FIRST') ELSE list_sort(a, 'ASC', 'NULLS LAST') END

mere_array_sort_nulls(a, down, first) = CASE WHEN down AND first THEN list_sort(a, 'DESC', 'NULLS FIRST') WHEN down THEN list_sort(a, 'DESC', 'NULLS LAST')
    WHEN first THEN list_sort(a, 'ASC', 'NULLS FIRST') ELSE list_sort(a, 'ASC', 'NULLS LAST') END

mere_series(a, b, step) = CASE WHEN step = step - step THEN error('22023:step size cannot equal zero') ELSE generate_series(a, b, step) END

mere_zip_texts(lists) = list_transform(range(1, len(list_extract(lists, 1)) + 1), lambda i: list_transform(lists, lambda l: list_extract(l, i)))

mere_array_assign(a, i, x) = CASE WHEN i IS NULL THEN error('22004:array subscript in assignment must not be null')
    WHEN i < 1 OR (i > 1 AND coalesce(len(a), 0) = 0) THEN error('0A000:an array that does not start at 1 is not supported in a lake table')
    WHEN i <= coalesce(len(a), 0) THEN list_transform(a, lambda e, n: CASE WHEN n = i THEN x ELSE e END)
    ELSE list_append(list_resize(coalesce(a, []), CAST(i AS BIGINT) - 1), x) END
