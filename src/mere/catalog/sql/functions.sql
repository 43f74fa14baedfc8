-- Functions of the users': what the binder has to know of one to run it over lake data, and Mere's own languages.

-- Python that runs on the segments. PostgreSQL keeps these functions as it keeps all others (names, overloads, rights,
-- dependencies, pg_dump); when it is to run one itself, the handler refuses with 0A000.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_language WHERE lanname = 'python') THEN
        CREATE FUNCTION mere.python_handler() RETURNS language_handler LANGUAGE internal AS 'language_handler_in';
    END IF;
END $$;

-- The types that cross between the engine and Python, both ways.
CREATE OR REPLACE FUNCTION mere.python_type(type oid) RETURNS bool
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT type IN ('bool'::regtype, 'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'float4'::regtype, 'float8'::regtype,
        'numeric'::regtype, 'text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'bytea'::regtype, 'date'::regtype,
        'time'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype, 'uuid'::regtype, 'json'::regtype, 'jsonb'::regtype,
        'bool[]'::regtype, 'int2[]'::regtype, 'int4[]'::regtype, 'int8[]'::regtype, 'float4[]'::regtype, 'float8[]'::regtype,
        'text[]'::regtype, 'varchar[]'::regtype, 'date[]'::regtype, 'timestamp[]'::regtype)
$$;

CREATE OR REPLACE FUNCTION mere.check_python(function oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    f pg_proc;
    wrong oid;
BEGIN
    SELECT * INTO f FROM pg_proc WHERE oid = function;
    IF f.prokind <> 'f' OR f.proretset OR f.provariadic <> 0 OR f.proargmodes IS NOT NULL OR f.prosecdef OR f.proconfig IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = '0A000',
            MESSAGE = 'a function in Python has arguments and one result: no procedure, no set, no OUT or VARIADIC, no SECURITY DEFINER, no SET';
    END IF;
    SELECT t INTO wrong FROM unnest(f.proargtypes::oid[] || f.prorettype) AS t WHERE NOT mere.python_type(t) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = format('a function in Python cannot take or return %s', wrong::regtype);
    END IF;
END $$;

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_language WHERE lanname = 'python') THEN
        CREATE TRUSTED LANGUAGE python HANDLER mere.python_handler VALIDATOR mere.check_python;
        CREATE TRUSTED LANGUAGE python_arrow HANDLER mere.python_handler VALIDATOR mere.check_python;
    END IF;
END $$;
-- Whoever writes Python acts with the rights of the segments' processes.
REVOKE ALL ON LANGUAGE python, python_arrow FROM PUBLIC;
GRANT USAGE ON LANGUAGE python, python_arrow TO mere_python;

-- What calls of functions by name may mean. `names`: [[schema or "", name], ...]; `path`: current_schemas(true). Runs as
-- the caller. In the order of the path, so that the first of the same arguments is meant.
CREATE OR REPLACE FUNCTION mere.user_functions(names jsonb, path name[]) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN (SELECT jsonb_agg(jsonb_build_object(
        'call', n.call, 'oid', p.oid::bigint, 'schema', s.nspname, 'name', p.proname, 'kind', p.prokind, 'language', l.lanname,
        'source', p.prosrc, 'body', pg_get_function_sqlbody(p.oid),
        'inputs', to_jsonb(p.proargtypes::oid[]::bigint[]), 'types', to_jsonb(p.proallargtypes::bigint[]),
        'modes', to_jsonb(p.proargmodes::text[]), 'names', to_jsonb(p.proargnames),
        'defaults', pg_get_expr(p.proargdefaults, 0), 'default_count', p.pronargdefaults, 'variadic', p.provariadic <> 0,
        'result', p.prorettype::bigint, 'set', p.proretset, 'strict', p.proisstrict, 'volatility', p.provolatile,
        'definer', p.prosecdef, 'settings', p.proconfig IS NOT NULL, 'executable', has_function_privilege(p.oid, 'EXECUTE'),
        'before_catalog', coalesce(array_position(path, s.nspname) < array_position(path, 'pg_catalog'), false),
        'columns', (SELECT jsonb_agg(jsonb_build_array(a.attname, a.atttypid::bigint) ORDER BY a.attnum) FROM pg_type AS t
            JOIN pg_attribute AS a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE t.oid = p.prorettype AND t.typtype = 'c'))
        ORDER BY n.call, array_position(path, s.nspname), p.oid)
    FROM jsonb_array_elements(names) AS n (call)
    JOIN pg_proc AS p ON p.proname = n.call ->> 1 AND p.oid >= 16384
    JOIN pg_namespace AS s ON s.oid = p.pronamespace AND s.nspname NOT IN ('mere', 'mere_lake')
        AND CASE WHEN n.call ->> 0 = '' THEN s.nspname = ANY (path) AND s.oid <> pg_my_temp_schema()
                 WHEN n.call ->> 0 = 'pg_temp' THEN s.oid = pg_my_temp_schema() ELSE s.nspname = n.call ->> 0 END
    JOIN pg_language AS l ON l.oid = p.prolang);
END $$;

-- Functions that a statement may not call without Mere: in Python, or in SQL over lake tables. By the words of their
-- bodies, which is a guess that may say too much.
CREATE OR REPLACE FUNCTION mere.lake_functions(lake text[]) RETURNS text[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE bodies AS MATERIALIZED (
        SELECT p.proname::text AS name, l.lanname <> 'sql' AS python,
            regexp_split_to_array(lower(concat_ws(' ', coalesce(pg_get_function_sqlbody(p.oid), p.prosrc), pg_get_expr(p.proargdefaults, 0))),
                '[^[:alnum:]_$]+') AS words
        FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
        WHERE p.oid >= 16384 AND l.lanname IN ('sql', 'python', 'python_arrow')
          AND p.pronamespace NOT IN ('mere'::regnamespace, 'mere_lake'::regnamespace)
    ), reached AS (
        SELECT name, words FROM bodies WHERE python OR words && ARRAY(SELECT lower(n) FROM unnest(lake) AS n)
        UNION
        SELECT b.name, b.words FROM reached AS r JOIN bodies AS b ON lower(r.name) = ANY (b.words)
    )
    SELECT coalesce(array_agg(DISTINCT name), '{}') FROM reached
$$;

REVOKE ALL ON FUNCTION mere.python_handler, mere.python_type, mere.check_python, mere.user_functions, mere.lake_functions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mere.user_functions, mere.python_type TO PUBLIC;
