-- json and jsonb, both kept as JSON text.
-- name(arguments) = expression; one macro a paragraph, see mere.sql.macros.

mere_text_to_json(x) = CASE WHEN x IS NULL THEN NULL WHEN regexp_matches(x, '(?i),\s*[\]}]|nan|inf') THEN CAST(mere_kernel_json_check(x) AS JSON)
    WHEN json_valid(x) THEN CAST(x AS JSON) ELSE error('22P02:invalid input syntax for type json') END

mere_to_jsonb(x) = CAST(mere_kernel_jsonb(CAST(x AS VARCHAR)) AS JSON)

mere_jsonb(j) = CAST(mere_jsonb_out(j) AS JSON)

mere_json_fragile(t) = regexp_matches(t, '[.][0-9]*0(?:[^0-9]|$)|[0-9.]{17}|[0-9][eE]')

mere_json_inexact(t) = regexp_matches(t, '\s|[.][0-9]*0(?:[^0-9]|$)|[0-9.]{17}|[0-9][eE]')

mere_json_marked(t) = regexp_replace(t, '("(?:[^"\\]|\\.)*")|(-?[0-9][0-9.eE+-]*)', concat('\1', chr(1), '\2', chr(2)), 'g')

mere_json_quoted(t) = replace(replace(replace(mere_json_marked(t), concat(chr(1), chr(2)), ''), chr(1), '"'), chr(2), '"')

mere_json_deep(e) = regexp_matches(CAST(e AS VARCHAR), '^[\[{]')

mere_json_double(e) = regexp_matches(CAST(e AS VARCHAR), '^-?[0-9]+[.eE]')

mere_json_simple(e) = coalesce(NOT regexp_matches(CAST(e AS VARCHAR), '^(?:[\[{]|-?[0-9]+[.eE])'), true)

mere_json_piece(j, path) = CAST(mere_kernel_json_piece(CAST(j AS VARCHAR), path) AS JSON)

mere_json_at(j, path) = CASE WHEN mere_json_simple(json_extract(j, path)) THEN json_extract(j, path)
    WHEN mere_json_inexact(CAST(j AS VARCHAR)) THEN mere_json_piece(j, path) ELSE json_extract(j, path) END

mere_jsonb_at(j, path) = CASE WHEN mere_json_simple(json_extract(j, path)) THEN json_extract(j, path)
    WHEN mere_json_fragile(CAST(j AS VARCHAR)) THEN mere_json_piece(j, path) ELSE mere_jsonb(json_extract(j, path)) END

mere_json_text_at(j, path) = CASE WHEN mere_json_simple(json_extract(j, path)) THEN json_extract_string(j, path)
    WHEN NOT mere_json_inexact(CAST(j AS VARCHAR)) THEN json_extract_string(j, path) WHEN mere_json_double(json_extract(j, path)) THEN json_extract_string(mere_json_quoted(CAST(j AS VARCHAR)), path)
    ELSE mere_kernel_json_piece(CAST(j AS VARCHAR), path) END

mere_jsonb_text_at(j, path) = CASE WHEN mere_json_simple(json_extract(j, path)) THEN json_extract_string(j, path)
    WHEN NOT mere_json_fragile(CAST(j AS VARCHAR)) THEN mere_jsonb_out(json_extract(j, path)) WHEN mere_json_double(json_extract(j, path)) THEN json_extract_string(mere_json_quoted(CAST(j AS VARCHAR)), path)
    ELSE mere_kernel_json_piece(CAST(j AS VARCHAR), path) END

mere_json_key_path(k) = '$."' || replace(replace(k, '\', '\\'), '"', '\"') || '"'

mere_json_index_path(i) = CASE WHEN i < 0 THEN '$[#' || i || ']' ELSE '$[' || i || ']' END

mere_json_string(j) = CASE WHEN starts_with(CAST(j AS VARCHAR), '"') THEN json_extract_string(j, '$') WHEN CAST(j AS VARCHAR) = 'null' THEN NULL ELSE CAST(j AS VARCHAR) END

mere_jsonb_string(j) = CASE WHEN mere_json_deep(j) THEN mere_jsonb_out(j) ELSE mere_json_string(j) END

mere_json_get_key(j, k) = CASE WHEN k IS NULL THEN NULL ELSE mere_json_at(j, mere_json_key_path(k)) END

mere_json_get_index(j, i) = CASE WHEN i IS NULL THEN NULL WHEN json_type(j) = 'ARRAY' THEN mere_json_at(j, mere_json_index_path(i)) END

mere_json_text_key(j, k) = CASE WHEN k IS NULL THEN NULL ELSE mere_json_text_at(j, mere_json_key_path(k)) END

mere_json_text_index(j, i) = CASE WHEN i IS NULL THEN NULL WHEN json_type(j) = 'ARRAY' THEN mere_json_text_at(j, mere_json_index_path(i)) END

mere_jsonb_get_key(j, k) = CASE WHEN k IS NULL THEN NULL ELSE mere_jsonb_at(j, mere_json_key_path(k)) END

mere_jsonb_get_index(j, i) = CASE WHEN i IS NULL THEN NULL WHEN json_type(j) = 'ARRAY' THEN mere_jsonb_at(j, mere_json_index_path(i)) WHEN json_type(j) != 'OBJECT' AND i IN (0, -1) THEN j END

mere_jsonb_text_key(j, k) = CASE WHEN k IS NULL THEN NULL ELSE mere_jsonb_text_at(j, mere_json_key_path(k)) END

mere_jsonb_text_index(j, i) = CASE WHEN i IS NULL THEN NULL WHEN json_type(j) = 'ARRAY' THEN mere_jsonb_text_at(j, mere_json_index_path(i)) WHEN json_type(j) != 'OBJECT' AND i IN (0, -1) THEN mere_jsonb_string(j) END

mere_json_step(j, k) = CASE WHEN json_type(CAST(j AS JSON)) = 'ARRAY' THEN CAST(json_extract(CAST(j AS JSON), mere_json_index_path(TRY_CAST(k AS BIGINT))) AS VARCHAR)
    WHEN json_type(CAST(j AS JSON)) = 'OBJECT' THEN CAST(json_extract(CAST(j AS JSON), mere_json_key_path(k)) AS VARCHAR) END

mere_json_walk(j, path) = CASE WHEN len(path) = 0 THEN j WHEN j IS NULL OR path IS NULL THEN NULL
    ELSE CAST(list_reduce(list_prepend(CAST(j AS VARCHAR), path), lambda a, k: mere_json_step(a, k)) AS JSON) END

mere_json_piece_at(j, path) = CAST(mere_kernel_json_piece_at(CAST(j AS VARCHAR), path) AS JSON)

mere_json_get_path(j, path) = CASE WHEN mere_json_inexact(CAST(j AS VARCHAR)) THEN mere_json_piece_at(j, path) ELSE mere_json_walk(j, path) END

mere_jsonb_get_path(j, path) = CASE WHEN mere_json_fragile(CAST(j AS VARCHAR)) THEN mere_json_piece_at(j, path) ELSE mere_jsonb(mere_json_walk(j, path)) END

mere_json_text_path(j, path) = mere_json_string(mere_json_get_path(j, path))

mere_jsonb_text_path(j, path) = mere_jsonb_string(mere_jsonb_get_path(j, path))

mere_json_elements(j) = CAST(json_extract(j, '$[*]') AS JSON[])

mere_json_pieces(j) = CASE WHEN mere_json_inexact(CAST(j AS VARCHAR)) THEN CAST(mere_kernel_json_elements(CAST(j AS VARCHAR)) AS JSON[]) ELSE mere_json_elements(j) END

mere_jsonb_pieces(j) = CASE WHEN mere_json_fragile(CAST(j AS VARCHAR)) THEN CAST(mere_kernel_json_elements(CAST(j AS VARCHAR)) AS JSON[])
    ELSE list_transform(mere_json_elements(j), lambda e: mere_jsonb(e)) END

mere_jsonb_key(j) = mere_kernel_jsonb_key(CAST(j AS VARCHAR))

mere_jsonb_identity(j) = CASE WHEN contains(CAST(j AS VARCHAR), '.') THEN mere_kernel_jsonb_identity(CAST(j AS VARCHAR)) ELSE CAST(j AS VARCHAR) END

mere_jsonb_pretty(j) = mere_kernel_jsonb_pretty(CAST(j AS VARCHAR))

mere_jsonb_strip(j, arrays) = CAST(mere_kernel_jsonb_strip(CAST(j AS VARCHAR), arrays) AS JSON)

mere_jsonb_change(j, path, x, how) = CAST(mere_kernel_jsonb_change(CAST(j AS VARCHAR), path, CAST(x AS VARCHAR), how) AS JSON)

mere_jsonb_set(j, path, x, make) = mere_jsonb_change(j, path, x, CASE WHEN make THEN 'create' WHEN NOT make THEN 'replace' END)

mere_jsonb_insert(j, path, x, behind) = mere_jsonb_change(j, path, x, CASE WHEN behind THEN 'after' WHEN NOT behind THEN 'before' END)

mere_jsonb_delete_path(j, path) = mere_jsonb_change(j, path, 'null', 'delete')

mere_jsonpath_items(j, path, vars, silent) = CAST(mere_kernel_jsonpath(CAST(j AS VARCHAR), path, CAST(vars AS VARCHAR), silent) AS JSON)

mere_jsonpath_exists(j, path, vars, silent) = mere_kernel_jsonpath_exists(CAST(j AS VARCHAR), path, CAST(vars AS VARCHAR), silent)

mere_jsonpath_array(j, path, vars, silent) = mere_jsonpath_items(j, path, vars, silent)

mere_jsonpath_first(j, path, vars, silent) = mere_jsonb_get_index(mere_jsonpath_items(j, path, vars, silent), 0)

mere_jsonpath_rows(j, path, vars, silent) = mere_jsonb_pieces(mere_jsonpath_items(j, path, vars, silent))

mere_jsonpath_truth(items, silent) = CASE CAST(items AS VARCHAR) WHEN '[true]' THEN true WHEN '[false]' THEN false WHEN '[null]' THEN NULL
    ELSE CASE WHEN items IS NOT NULL AND NOT silent THEN error('22038:single boolean result is expected') END END

mere_jsonpath_match(j, path, vars, silent) = mere_jsonpath_truth(mere_jsonpath_items(j, path, vars, silent), silent)

mere_json_plain_key(j, k) = json_extract(j, mere_json_key_path(k))

mere_jsonb_same(a, b) = CASE WHEN CAST(a AS VARCHAR) = CAST(b AS VARCHAR) THEN true WHEN json_type(a) IN ('OBJECT', 'ARRAY', 'VARCHAR') OR json_type(b) IN ('OBJECT', 'ARRAY', 'VARCHAR') THEN false
    ELSE coalesce(TRY_CAST(CAST(a AS VARCHAR) AS DECIMAL(38,10)) = TRY_CAST(CAST(b AS VARCHAR) AS DECIMAL(38,10)), false) END

mere_jsonb_within_0(a, b) = CASE WHEN json_type(b) NOT IN ('OBJECT', 'ARRAY') THEN mere_jsonb_same(a, b) WHEN json_type(a) != json_type(b) THEN false
    WHEN CAST(b AS VARCHAR) IN ('{}', '[]') OR CAST(a AS VARCHAR) = CAST(b AS VARCHAR) THEN true
    ELSE error('0A000:jsonb containment of values nested deeper than four levels is not supported') END

mere_jsonb_within_1(a, b) = CASE json_type(b)
    WHEN 'OBJECT' THEN json_type(a) = 'OBJECT' AND coalesce(list_bool_and(list_transform(json_keys(b), lambda k1: coalesce(mere_jsonb_within_0(mere_json_plain_key(a, k1), mere_json_plain_key(b, k1)), false))), true)
    WHEN 'ARRAY' THEN json_type(a) = 'ARRAY' AND coalesce(list_bool_and(list_transform(mere_json_elements(b), lambda e1:
        coalesce(list_bool_or(list_transform(mere_json_elements(a), lambda h1: mere_jsonb_within_0(h1, e1))), false))), true)
    ELSE mere_jsonb_same(a, b) END

mere_jsonb_within_2(a, b) = CASE json_type(b)
    WHEN 'OBJECT' THEN json_type(a) = 'OBJECT' AND coalesce(list_bool_and(list_transform(json_keys(b), lambda k2: coalesce(mere_jsonb_within_1(mere_json_plain_key(a, k2), mere_json_plain_key(b, k2)), false))), true)
    WHEN 'ARRAY' THEN json_type(a) = 'ARRAY' AND coalesce(list_bool_and(list_transform(mere_json_elements(b), lambda e2:
        coalesce(list_bool_or(list_transform(mere_json_elements(a), lambda h2: mere_jsonb_within_1(h2, e2))), false))), true)
    ELSE mere_jsonb_same(a, b) END

mere_jsonb_within_3(a, b) = CASE json_type(b)
    WHEN 'OBJECT' THEN json_type(a) = 'OBJECT' AND coalesce(list_bool_and(list_transform(json_keys(b), lambda k3: coalesce(mere_jsonb_within_2(mere_json_plain_key(a, k3), mere_json_plain_key(b, k3)), false))), true)
    WHEN 'ARRAY' THEN json_type(a) = 'ARRAY' AND coalesce(list_bool_and(list_transform(mere_json_elements(b), lambda e3:
        coalesce(list_bool_or(list_transform(mere_json_elements(a), lambda h3: mere_jsonb_within_2(h3, e3))), false))), true)
    ELSE mere_jsonb_same(a, b) END

mere_jsonb_contains(a, b) = CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN json_type(b) IN ('OBJECT', 'ARRAY') AND NOT regexp_matches(CAST(b AS VARCHAR), '[0-9]') AND NOT json_contains(a, b) THEN false
    WHEN json_type(a) = 'ARRAY' AND json_type(b) NOT IN ('OBJECT', 'ARRAY') THEN coalesce(list_bool_or(list_transform(mere_json_elements(a), lambda h: mere_jsonb_same(h, b))), false)
    ELSE mere_jsonb_within_3(a, b) END

mere_jsonb_exists(j, k) = CASE json_type(j) WHEN 'OBJECT' THEN list_contains(json_keys(j), k) WHEN 'ARRAY' THEN list_contains(CAST(json_extract(j, '$[*]') AS VARCHAR[]), CAST(to_json(k) AS VARCHAR))
    WHEN 'VARCHAR' THEN json_extract_string(j, '$') = k ELSE CASE WHEN j IS NULL OR k IS NULL THEN NULL ELSE false END END

mere_jsonb_exists_any(j, keys) = mere_any_true(list_transform(keys, lambda k: mere_jsonb_exists(j, k)))

mere_jsonb_exists_all(j, keys) = mere_all_true(list_transform(keys, lambda k: mere_jsonb_exists(j, k)))

mere_json_typeof(j) = CASE json_type(j) WHEN 'OBJECT' THEN 'object' WHEN 'ARRAY' THEN 'array' WHEN 'VARCHAR' THEN 'string' WHEN 'BOOLEAN' THEN 'boolean' WHEN 'NULL' THEN 'null'
    ELSE CASE WHEN j IS NOT NULL THEN 'number' END END

mere_json_array_length(j) = CASE json_type(j) WHEN 'ARRAY' THEN CAST(json_array_length(j) AS INTEGER) WHEN 'OBJECT' THEN error('22023:cannot get array length of a non-array')
    ELSE CASE WHEN j IS NOT NULL THEN error('22023:cannot get array length of a scalar') END END

mere_json_to_bool(j) = CASE json_type(j) WHEN 'BOOLEAN' THEN CAST(json_extract_string(j, '$') AS BOOLEAN) WHEN 'NULL' THEN NULL
    ELSE CASE WHEN j IS NOT NULL THEN error(concat('22023:cannot cast jsonb ', mere_json_typeof(j), ' to type boolean')) END END

mere_json_number(j, name) = CASE mere_json_typeof(j) WHEN 'number' THEN trim(CAST(j AS VARCHAR)) WHEN 'null' THEN NULL
    ELSE CASE WHEN j IS NOT NULL THEN error(concat('22023:cannot cast jsonb ', mere_json_typeof(j), ' to type ', name)) END END

mere_json_wrap(opening, body, closing) = CAST(opening || body || closing AS JSON)

mere_json_list(items) = CASE WHEN items IS NOT NULL THEN concat('[', array_to_string(items, ','), ']') END

mere_json_number_text(t) = CASE WHEN t IN ('NaN', 'Infinity', '-Infinity') THEN concat('"', t, '"') ELSE t END

mere_json_timestamp(t) = concat('"', replace(t, ' ', 'T'), '"') || CASE WHEN t IS NULL THEN NULL ELSE '' END

mere_json_timestamptz(t) = concat('"', replace(regexp_replace(t, '([+-]\d\d)$', '\1:00'), ' ', 'T'), '"') || CASE WHEN t IS NULL THEN NULL ELSE '' END

mere_json_members(j) = CASE WHEN j IS NULL THEN NULL WHEN json_type(j) = 'OBJECT' THEN json_keys(j) ELSE error('22023:cannot call json_each on a non-object') END

mere_json_entries(j) = list_transform(mere_json_members(j), lambda k: {'c1': k, 'c2': mere_json_at(j, mere_json_key_path(k))})

mere_json_text_entries(j) = list_transform(mere_json_members(j), lambda k: {'c1': k, 'c2': mere_json_text_at(j, mere_json_key_path(k))})

mere_jsonb_text_entries(j) = list_transform(mere_json_members(j), lambda k: {'c1': k, 'c2': mere_jsonb_text_at(j, mere_json_key_path(k))})

mere_json_member(k, v) = concat(CAST(to_json(k) AS VARCHAR), ':', CAST(v AS VARCHAR))

mere_json_sorted(entries) = list_sort(list_transform(entries, lambda e: {'n': strlen(e['c1']), 'c1': e['c1'], 'c2': e['c2']}))

mere_json_from_entries(entries) = CAST(concat('{', array_to_string(list_transform(entries, lambda e: mere_json_member(e['c1'], e['c2'])), ','), '}') AS JSON)

mere_json_as_list(j) = CASE WHEN json_type(j) = 'ARRAY' THEN mere_json_elements(j) ELSE [j] END

mere_jsonb_concat_raw(a, b) = CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN json_type(a) = 'OBJECT' AND json_type(b) = 'OBJECT'
    THEN mere_json_from_entries(mere_json_sorted(list_concat(list_filter(mere_json_entries(a), lambda e: NOT list_contains(json_keys(b), e['c1'])), mere_json_entries(b))))
    ELSE CAST(mere_json_list(list_transform(list_concat(mere_json_as_list(a), mere_json_as_list(b)), lambda e: CAST(e AS VARCHAR))) AS JSON) END

mere_jsonb_concat(a, b) = CASE WHEN mere_json_fragile(CAST(a AS VARCHAR)) OR mere_json_fragile(CAST(b AS VARCHAR))
    THEN CAST(mere_kernel_jsonb_concat(CAST(a AS VARCHAR), CAST(b AS VARCHAR)) AS JSON) ELSE mere_jsonb(mere_jsonb_concat_raw(a, b)) END

mere_jsonb_delete_keys_raw(j, keys) = CASE json_type(j) WHEN 'OBJECT' THEN mere_json_from_entries(list_filter(mere_json_entries(j), lambda e: NOT list_contains(keys, e['c1'])))
    WHEN 'ARRAY' THEN CAST(mere_json_list(list_transform(list_filter(mere_json_elements(j), lambda e: NOT coalesce(list_contains(keys, mere_json_string(e)) AND json_type(e) = 'VARCHAR', false)), lambda e: CAST(e AS VARCHAR))) AS JSON)
    ELSE CASE WHEN j IS NOT NULL THEN error('22023:cannot delete from scalar') END END

mere_jsonb_delete_keys(j, keys) = CASE WHEN mere_json_fragile(CAST(j AS VARCHAR)) THEN CAST(mere_kernel_jsonb_without_keys(CAST(j AS VARCHAR), keys) AS JSON)
    ELSE mere_jsonb(mere_jsonb_delete_keys_raw(j, keys)) END

mere_jsonb_delete_key(j, k) = CASE WHEN k IS NULL THEN NULL ELSE mere_jsonb_delete_keys(j, [k]) END

mere_jsonb_delete_index_raw(j, i) = CASE json_type(j) WHEN 'ARRAY' THEN CAST(mere_json_list(list_transform(list_filter(mere_json_elements(j), lambda e, n: n != CASE WHEN i < 0 THEN json_array_length(j) + i + 1 ELSE i + 1 END), lambda e: CAST(e AS VARCHAR))) AS JSON)
    ELSE CASE WHEN j IS NOT NULL THEN error('22023:cannot delete from object using integer index') END END

mere_jsonb_delete_index(j, i) = CASE WHEN mere_json_fragile(CAST(j AS VARCHAR)) THEN CAST(mere_kernel_jsonb_without_index(CAST(j AS VARCHAR), i) AS JSON)
    ELSE mere_jsonb(mere_jsonb_delete_index_raw(j, i)) END

mere_is_json(x, kind) = CASE WHEN x IS NULL THEN NULL WHEN NOT json_valid(CAST(x AS VARCHAR)) THEN false
    ELSE CASE kind WHEN 'object' THEN json_type(CAST(x AS JSON)) = 'OBJECT' WHEN 'array' THEN json_type(CAST(x AS JSON)) = 'ARRAY' WHEN 'scalar' THEN json_type(CAST(x AS JSON)) NOT IN ('OBJECT', 'ARRAY') ELSE true END END

mere_json_array_rows(j) = CASE WHEN j IS NULL THEN NULL WHEN json_type(j) = 'ARRAY' THEN mere_json_pieces(j) ELSE error('22023:cannot extract elements from an object or a scalar') END

mere_jsonb_array_rows(j) = CASE WHEN j IS NULL THEN NULL WHEN json_type(j) = 'ARRAY' THEN mere_jsonb_pieces(j) ELSE error('22023:cannot extract elements from an object or a scalar') END

mere_jsonb_entries(j) = list_transform(mere_json_members(j), lambda k: {'c1': k, 'c2': mere_jsonb_at(j, mere_json_key_path(k))})

mere_json_array_texts(j) = list_transform(mere_json_array_rows(j), lambda e: mere_json_string(e))

mere_jsonb_array_texts(j) = list_transform(mere_jsonb_array_rows(j), lambda e: mere_jsonb_string(e))

mere_json_keys(j) = CASE WHEN j IS NULL THEN NULL WHEN json_type(j) = 'OBJECT' THEN json_keys(j) ELSE error('22023:cannot call json_object_keys on an array or a scalar') END

mere_jsonb_contained(a, b) = mere_jsonb_contains(b, a)

mere_sql_json_exists(found, j) = CASE WHEN j IS NOT NULL THEN coalesce(found, false) END

mere_sql_json_query(items) = CASE WHEN json_array_length(items) = 1 THEN mere_jsonb_get_index(items, 0) END

mere_sql_json_value(items) = CASE WHEN json_array_length(items) = 1 AND NOT mere_json_deep(json_extract(items, '$[0]')) THEN mere_jsonb_text_index(items, 0) END

mere_json_member_value(j) = CASE WHEN CAST(j AS VARCHAR) != 'null' THEN j END

mere_json_object(j) = CASE WHEN json_type(j) = 'OBJECT' OR j IS NULL THEN [j] ELSE error('22023:cannot call json_to_record on a non-object') END

mere_json_objects(j) = list_transform(CASE WHEN j IS NULL THEN NULL WHEN json_type(j) = 'ARRAY' THEN mere_json_pieces(j) ELSE error('22023:cannot call json_to_recordset on a non-array') END,
    lambda e: CASE WHEN json_type(e) = 'OBJECT' THEN e ELSE error('22023:argument of json_to_recordset must be an array of objects') END)

mere_json_key(k, problem) = CASE WHEN k IS NULL THEN error(problem) ELSE k END

mere_json_pairs(keys, texts) = CASE WHEN len(keys) != len(texts) THEN error('2202E:mismatched array dimensions')
    ELSE list_transform(list_zip(keys, texts), lambda p: {'k': p[1], 'v': p[2]}) END

mere_json_pairs_of(a) = CASE WHEN len(a) % 2 = 1 THEN error('2202E:array must have even number of elements')
    ELSE list_transform(range(1, len(a) + 1, 2), lambda i: {'k': list_extract(a, i), 'v': list_extract(a, i + 1)}) END

mere_json_pair_text(k, v) = concat(CAST(to_json(mere_json_key(k, '22004:null value not allowed for object key')) AS VARCHAR), ' : ', coalesce(CAST(to_json(v) AS VARCHAR), 'null'))

mere_json_object_text(pairs) = CASE WHEN pairs IS NOT NULL THEN concat('{', array_to_string(list_transform(pairs, lambda p: mere_json_pair_text(p['k'], p['v'])), ', '), '}') END

mere_jsonb_number(t) = CASE WHEN contains(t, 'e') THEN mere_kernel_jsonb(t) ELSE t END

mere_jsonpath_or_null(j, path) = CAST(mere_kernel_jsonpath_or_null(CAST(j AS VARCHAR), path) AS JSON)
