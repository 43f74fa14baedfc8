-- Stored generated columns.
CREATE TABLE g (a int, b int GENERATED ALWAYS AS (a * 2) STORED, c text GENERATED ALWAYS AS (upper('x' || a)) STORED, d numeric(10,2) DEFAULT 1.5);
INSERT INTO g (a) VALUES (1), (2), (NULL) RETURNING *;
INSERT INTO g VALUES (3);
INSERT INTO g VALUES (4, DEFAULT, DEFAULT, 9);
INSERT INTO g (a, b) VALUES (5, 5);
INSERT INTO g (a) SELECT g * 10 FROM generate_series(1, 3) g;
SELECT * FROM g ORDER BY a;
UPDATE g SET a = a + 1 WHERE a < 3 RETURNING a, b, c;
UPDATE g SET b = DEFAULT WHERE a = 4;
UPDATE g SET b = 7;
SELECT * FROM g ORDER BY a;
COPY g FROM STDIN WITH (FORMAT csv);
100,1.25
200,
\.
COPY g (a) FROM STDIN;
300
\.
COPY g (a, b) FROM STDIN;
\.
SELECT a, b, c, d FROM g WHERE a >= 100 ORDER BY a;
COPY (SELECT a, b FROM g WHERE a >= 100 ORDER BY a) TO STDOUT;
MERGE INTO g USING (VALUES (100), (400)) AS s (a) ON g.a = s.a WHEN MATCHED THEN UPDATE SET a = 101 WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a);
SELECT a, b, c FROM g WHERE a >= 100 ORDER BY a;
CREATE TABLE checked (a int, b int GENERATED ALWAYS AS (a + 1) STORED CHECK (b < 10), c int GENERATED ALWAYS AS (a - 1) STORED NOT NULL);
INSERT INTO checked (a) VALUES (8);
INSERT INTO checked (a) VALUES (9);
INSERT INTO checked (a) VALUES (NULL);
SELECT * FROM checked;
CREATE TABLE keyed (id int PRIMARY KEY, v text, up text GENERATED ALWAYS AS (upper(v)) STORED);
INSERT INTO keyed VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET v = excluded.v;
INSERT INTO keyed VALUES (1, 'b'), (2, 'c') ON CONFLICT (id) DO UPDATE SET v = excluded.v RETURNING *;
CREATE TABLE later (a int);
ALTER TABLE later ADD COLUMN b int GENERATED ALWAYS AS (a * 3) STORED;
INSERT INTO later (a) VALUES (2);
SELECT * FROM later;
ALTER TABLE later ALTER COLUMN a TYPE bigint;
ALTER TABLE later DROP COLUMN a;
ALTER TABLE later ALTER COLUMN b DROP EXPRESSION;
INSERT INTO later VALUES (5, 6);
SELECT * FROM later ORDER BY a;
--! differs generated-later
ALTER TABLE later ADD COLUMN c int GENERATED ALWAYS AS (a * 4) STORED;
--! differs generated-later
CREATE TABLE virtual (a int, b int GENERATED ALWAYS AS (a * 2));
CREATE TABLE bad (a int, b int GENERATED ALWAYS AS (random()) STORED);
SELECT column_name, is_generated, generation_expression FROM information_schema.columns WHERE table_name = 'g' AND table_schema = current_schema() ORDER BY ordinal_position;
