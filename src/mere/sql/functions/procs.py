"""Facts about PostgreSQL 18's built-in functions that Mere may translate: pg_proc, by name. Pure data.

One entry a name: `name (argument types)result ...`; `*` marks the variadic argument. What is not here does not exist
for queries over lake data. tests/integration/expressions/test_facts.py compares each line with a running PostgreSQL.
"""

from __future__ import annotations

FUNCTIONS = """
abs (int8)int8 (int2)int2 (int4)int4 (float4)float4 (float8)float8 (numeric)numeric
acos (float8)float8
acosd (float8)float8
acosh (float8)float8
age (timestamp)interval (timestamptz)interval (timestamp,timestamp)interval (timestamptz,timestamptz)interval
any_value (anyelement)anyelement
array_agg (anyarray)anyarray (anynonarray)anyarray
array_append (anycompatiblearray,anycompatible)anycompatiblearray
array_cat (anycompatiblearray,anycompatiblearray)anycompatiblearray
array_dims (anyarray)text
array_fill (anyelement,_int4)anyarray (anyelement,_int4,_int4)anyarray
array_length (anyarray,int4)int4
array_lower (anyarray,int4)int4
array_ndims (anyarray)int4
array_position (anycompatiblearray,anycompatible)int4 (anycompatiblearray,anycompatible,int4)int4
array_positions (anycompatiblearray,anycompatible)_int4
array_prepend (anycompatible,anycompatiblearray)anycompatiblearray
array_remove (anycompatiblearray,anycompatible)anycompatiblearray
array_replace (anycompatiblearray,anycompatible,anycompatible)anycompatiblearray
array_reverse (anyarray)anyarray
array_sample (anyarray,int4)anyarray
array_shuffle (anyarray)anyarray
array_sort (anyarray)anyarray (anyarray,bool)anyarray (anyarray,bool,bool)anyarray
array_to_json (anyarray)json (anyarray,bool)json
array_to_string (anyarray,text)text (anyarray,text,text)text
array_upper (anyarray,int4)int4
ascii (text)int4
asin (float8)float8
asind (float8)float8
asinh (float8)float8
atan (float8)float8
atan2 (float8,float8)float8
atan2d (float8,float8)float8
atand (float8)float8
atanh (float8)float8
avg (int8)numeric (int2)numeric (int4)numeric (float4)float8 (float8)float8 (interval)interval (numeric)numeric
bit_and (int8)int8 (int2)int2 (int4)int4
bit_count (bytea)int8 (bit)int8
bit_length (bytea)int4 (text)int4 (bit)int4
bit_or (int8)int8 (int2)int2 (int4)int4
bit_xor (int8)int8 (int2)int2 (int4)int4
bool (int4)bool (jsonb)bool
bool_and (bool)bool
bool_or (bool)bool
booleq (bool,bool)bool
bpchar (char)bpchar (name)bpchar (bpchar,int4,bool)bpchar
bpcharlt (bpchar,bpchar)bool
btrim (text)text (bytea,bytea)bytea (text,text)text
bytea (int8)bytea (int2)bytea (int4)bytea
cardinality (anyarray)int4
casefold (text)text
cbrt (float8)float8
ceil (float8)float8 (numeric)numeric
ceiling (float8)float8 (numeric)numeric
char_length (text)int4 (bpchar)int4
character_length (text)int4 (bpchar)int4
chr (int4)text
clock_timestamp ()timestamptz
col_description (oid,int4)text
concat (*any)text
concat_ws (text,*any)text
convert_from (bytea,name)text
convert_to (text,name)bytea
corr (float8,float8)float8
cos (float8)float8
cosd (float8)float8
cosh (float8)float8
cot (float8)float8
cotd (float8)float8
count ()int8 (any)int8
covar_pop (float8,float8)float8
covar_samp (float8,float8)float8
crc32 (bytea)int8
crc32c (bytea)int8
cume_dist ()float8
current_database ()name
current_schema ()name
current_schemas (bool)_name
current_setting (text)text (text,bool)text
current_user ()name
date (timestamp)date (timestamptz)date
date_add (timestamptz,interval)timestamptz (timestamptz,interval,text)timestamptz
date_bin (interval,timestamp,timestamp)timestamp (interval,timestamptz,timestamptz)timestamptz
date_part (text,date)float8 (text,time)float8 (text,timestamp)float8 (text,timestamptz)float8 (text,interval)float8
    (text,timetz)float8
date_subtract (timestamptz,interval)timestamptz (timestamptz,interval,text)timestamptz
date_trunc (text,timestamp)timestamp (text,timestamptz)timestamptz (text,interval)interval
    (text,timestamptz,text)timestamptz
decode (text,text)bytea
degrees (float8)float8
dense_rank ()int8
div (numeric,numeric)numeric
encode (bytea,text)text
erf (float8)float8
erfc (float8)float8
every (bool)bool
exp (float8)float8 (numeric)numeric
extract (text,date)numeric (text,time)numeric (text,timestamp)numeric (text,timestamptz)numeric
    (text,interval)numeric (text,timetz)numeric
factorial (int8)numeric
first_value (anyelement)anyelement
float4 (int8)float4 (int2)float4 (int4)float4 (float8)float4 (numeric)float4 (jsonb)float4
float4abs (float4)float4
float8 (int8)float8 (int2)float8 (int4)float8 (float4)float8 (numeric)float8 (jsonb)float8
float8abs (float8)float8
floor (float8)float8 (numeric)numeric
format (text)text (text,*any)text
format_type (oid,int4)text
gamma (float8)float8
gcd (int8,int8)int8 (int4,int4)int4 (numeric,numeric)numeric
gen_random_uuid ()uuid
generate_series (int8,int8)int8 (int4,int4)int4 (numeric,numeric)numeric (int8,int8,int8)int8 (int4,int4,int4)int4
    (timestamp,timestamp,interval)timestamp (timestamptz,timestamptz,interval)timestamptz
    (numeric,numeric,numeric)numeric (timestamptz,timestamptz,interval,text)timestamptz
generate_subscripts (anyarray,int4)int4 (anyarray,int4,bool)int4
get_bit (bytea,int8)int4 (bit,int4)int4
get_byte (bytea,int4)int4
getdatabaseencoding ()name
has_database_privilege (text,text)bool (oid,text)bool (name,text,text)bool (name,oid,text)bool (oid,text,text)bool
    (oid,oid,text)bool
has_schema_privilege (text,text)bool (oid,text)bool (name,text,text)bool (name,oid,text)bool (oid,text,text)bool
    (oid,oid,text)bool
has_table_privilege (text,text)bool (oid,text)bool (name,text,text)bool (name,oid,text)bool (oid,text,text)bool
    (oid,oid,text)bool
hashint2 (int2)int4
hashint4 (int4)int4
hashint8 (int8)int4
hashtext (text)int4
inet_server_port ()int4
initcap (text)text
int2 (bytea)int2 (int8)int2 (int4)int2 (float4)int2 (float8)int2 (numeric)int2 (jsonb)int2
int2abs (int2)int2
int4 (bool)int4 (bytea)int4 (char)int4 (int8)int4 (int2)int4 (float4)int4 (float8)int4 (numeric)int4 (jsonb)int4
    (bit)int4
int4abs (int4)int4
int8 (bytea)int8 (int2)int8 (int4)int8 (oid)int8 (float4)int8 (float8)int8 (numeric)int8 (jsonb)int8 (bit)int8
int8abs (int8)int8
interval (time)interval (interval,int4)interval
is_normalized (text,text)bool
isfinite (date)bool (timestamp)bool (timestamptz)bool (interval)bool
json_agg (anyelement)json
json_array_elements (json)json
json_array_elements_text (json)text
json_array_length (json)int4
json_build_array ()json (*any)json
json_build_object ()json (*any)json
json_each (json)record
json_each_text (json)record
json_extract_path (json,*_text)json
json_extract_path_text (json,*_text)text
json_object (_text)json (_text,_text)json
json_object_agg (any,any)json
json_object_keys (json)text
json_strip_nulls (json,bool)json
json_typeof (json)text
jsonb_agg (anyelement)jsonb
jsonb_array_elements (jsonb)jsonb
jsonb_array_elements_text (jsonb)text
jsonb_array_length (jsonb)int4
jsonb_build_array ()jsonb (*any)jsonb
jsonb_build_object ()jsonb (*any)jsonb
jsonb_contained (jsonb,jsonb)bool
jsonb_contains (jsonb,jsonb)bool
jsonb_each (jsonb)record
jsonb_each_text (jsonb)record
jsonb_exists (jsonb,text)bool
jsonb_exists_all (jsonb,_text)bool
jsonb_exists_any (jsonb,_text)bool
jsonb_extract_path (jsonb,*_text)jsonb
jsonb_extract_path_text (jsonb,*_text)text
jsonb_insert (jsonb,_text,jsonb,bool)jsonb
jsonb_object (_text)jsonb (_text,_text)jsonb
jsonb_object_agg (any,any)jsonb
jsonb_object_keys (jsonb)text
jsonb_path_exists (jsonb,jsonpath,jsonb,bool)bool
jsonb_path_match (jsonb,jsonpath,jsonb,bool)bool
jsonb_path_query (jsonb,jsonpath,jsonb,bool)jsonb
jsonb_path_query_array (jsonb,jsonpath,jsonb,bool)jsonb
jsonb_path_query_first (jsonb,jsonpath,jsonb,bool)jsonb
jsonb_pretty (jsonb)text
jsonb_set (jsonb,_text,jsonb,bool)jsonb
jsonb_strip_nulls (jsonb,bool)jsonb
jsonb_typeof (jsonb)text
justify_days (interval)interval
justify_hours (interval)interval
justify_interval (interval)interval
lag (anyelement)anyelement (anyelement,int4)anyelement (anycompatible,int4,anycompatible)anycompatible
last_value (anyelement)anyelement
lastval ()int8
lcm (int8,int8)int8 (int4,int4)int4 (numeric,numeric)numeric
lead (anyelement)anyelement (anyelement,int4)anyelement (anycompatible,int4,anycompatible)anycompatible
left (text,int4)text
length (bytea)int4 (text)int4 (bpchar)int4 (bit)int4 (bytea,name)int4
lgamma (float8)float8
like (bytea,bytea)bool (name,text)bool (text,text)bool
like_escape (bytea,bytea)bytea (text,text)text
ln (float8)float8 (numeric)numeric
log (float8)float8 (numeric)numeric (numeric,numeric)numeric
log10 (float8)float8 (numeric)numeric
lower (text)text
lpad (text,int4)text (text,int4,text)text
ltrim (text)text (bytea,bytea)bytea (text,text)text
make_date (int4,int4,int4)date
make_interval (int4,int4,int4,int4,int4,int4,float8)interval
make_time (int4,int4,float8)time
make_timestamp (int4,int4,int4,int4,int4,float8)timestamp
make_timestamptz (int4,int4,int4,int4,int4,float8)timestamptz (int4,int4,int4,int4,int4,float8,text)timestamptz
max (bytea)bytea (int8)int8 (int2)int2 (int4)int4 (text)text (oid)oid (float4)float4 (float8)float8 (bpchar)bpchar
    (date)date (time)time (timestamp)timestamp (timestamptz)timestamptz (interval)interval (timetz)timetz
    (numeric)numeric (record)record (anyarray)anyarray
md5 (bytea)text (text)text
min (bytea)bytea (int8)int8 (int2)int2 (int4)int4 (text)text (oid)oid (float4)float4 (float8)float8 (bpchar)bpchar
    (date)date (time)time (timestamp)timestamp (timestamptz)timestamptz (interval)interval (timetz)timetz
    (numeric)numeric (record)record (anyarray)anyarray
min_scale (numeric)int4
mod (int8,int8)int8 (int2,int2)int2 (int4,int4)int4 (numeric,numeric)numeric
mode (anyelement)anyelement
name (text)name (bpchar)name (varchar)name
normalize (text,text)text
notlike (bytea,bytea)bool (name,text)bool (text,text)bool
now ()timestamptz
nth_value (anyelement,int4)anyelement
ntile (int4)int4
num_nonnulls (*any)int4
num_nulls (*any)int4
numeric (int8)numeric (int2)numeric (int4)numeric (float4)numeric (float8)numeric (jsonb)numeric
    (numeric,int4)numeric
numeric_abs (numeric)numeric
numeric_inc (numeric)numeric
obj_description (oid)text (oid,name)text
octet_length (bytea)int4 (text)int4 (bpchar)int4 (bit)int4
overlaps (time,time,time,time)bool (time,time,time,interval)bool (time,interval,time,time)bool
    (time,interval,time,interval)bool (timestamp,timestamp,timestamp,timestamp)bool
    (timestamp,timestamp,timestamp,interval)bool (timestamp,interval,timestamp,timestamp)bool
    (timestamp,interval,timestamp,interval)bool (timestamptz,timestamptz,timestamptz,timestamptz)bool
    (timestamptz,timestamptz,timestamptz,interval)bool (timestamptz,interval,timestamptz,timestamptz)bool
    (timestamptz,interval,timestamptz,interval)bool (timetz,timetz,timetz,timetz)bool
overlay (bytea,bytea,int4)bytea (text,text,int4)text (bytea,bytea,int4,int4)bytea (text,text,int4,int4)text
parse_ident (text,bool)_text
percent_rank ()float8
percentile_cont (float8,float8)float8 (float8,interval)interval (_float8,float8)_float8 (_float8,interval)_interval
percentile_disc (float8,anyelement)anyelement (_float8,anyelement)anyarray
pg_backend_pid ()int4
pg_client_encoding ()name
pg_database_size (name)int8 (oid)int8
pg_encoding_to_char (int4)name
pg_get_userbyid (oid)name
pg_get_viewdef (text)text (oid)text (text,bool)text (oid,bool)text (oid,int4)text
pg_has_role (name,text)bool (oid,text)bool (name,name,text)bool (name,oid,text)bool (oid,name,text)bool
    (oid,oid,text)bool
pg_is_in_recovery ()bool
pg_my_temp_schema ()oid
pg_postmaster_start_time ()timestamptz
pg_size_pretty (int8)text (numeric)text
pg_sleep (float8)void
pg_table_is_visible (oid)bool
pg_typeof (any)regtype
pi ()float8
position (bytea,bytea)int4 (text,text)int4 (bit,bit)int4
pow (float8,float8)float8 (numeric,numeric)numeric
power (float8,float8)float8 (numeric,numeric)numeric
quote_ident (text)text
quote_literal (text)text (anyelement)text
quote_nullable (text)text (anyelement)text
radians (float8)float8
random ()float8 (int8,int8)int8 (int4,int4)int4 (numeric,numeric)numeric
random_normal (float8,float8)float8
rank ()int8
regexp_count (text,text)int4 (text,text,int4)int4 (text,text,int4,text)int4
regexp_instr (text,text)int4 (text,text,int4)int4 (text,text,int4,int4)int4 (text,text,int4,int4,int4)int4
    (text,text,int4,int4,int4,text)int4 (text,text,int4,int4,int4,text,int4)int4
regexp_like (text,text)bool (text,text,text)bool
regexp_match (text,text)_text (text,text,text)_text
regexp_matches (text,text)_text (text,text,text)_text
regexp_replace (text,text,text)text (text,text,text,int4)text (text,text,text,text)text
    (text,text,text,int4,int4)text (text,text,text,int4,int4,text)text
regexp_split_to_array (text,text)_text (text,text,text)_text
regexp_split_to_table (text,text)text (text,text,text)text
regexp_substr (text,text)text (text,text,int4)text (text,text,int4,int4)text (text,text,int4,int4,text)text
    (text,text,int4,int4,text,int4)text
regr_avgx (float8,float8)float8
regr_avgy (float8,float8)float8
regr_count (float8,float8)int8
regr_intercept (float8,float8)float8
regr_r2 (float8,float8)float8
regr_slope (float8,float8)float8
regr_sxx (float8,float8)float8
regr_sxy (float8,float8)float8
regr_syy (float8,float8)float8
repeat (text,int4)text
replace (text,text,text)text
reverse (bytea)bytea (text)text
right (text,int4)text
round (float8)float8 (numeric)numeric (numeric,int4)numeric
row_number ()int8
row_to_json (record)json (record,bool)json
rpad (text,int4)text (text,int4,text)text
rtrim (text)text (bytea,bytea)bytea (text,text)text
scale (numeric)int4
session_user ()name
set_bit (bytea,int8,int4)bytea (bit,int4,int4)bit
set_byte (bytea,int4,int4)bytea
set_config (text,text,bool)text
setseed (float8)void
sha224 (bytea)bytea
sha256 (bytea)bytea
sha384 (bytea)bytea
sha512 (bytea)bytea
shobj_description (oid,name)text
sign (float8)float8 (numeric)numeric
similar_to_escape (text)text (text,text)text
sin (float8)float8
sind (float8)float8
sinh (float8)float8
split_part (text,text,int4)text
sqrt (float8)float8 (numeric)numeric
starts_with (text,text)bool
statement_timestamp ()timestamptz
stddev (int8)numeric (int2)numeric (int4)numeric (float4)float8 (float8)float8 (numeric)numeric
stddev_pop (int8)numeric (int2)numeric (int4)numeric (float4)float8 (float8)float8 (numeric)numeric
stddev_samp (int8)numeric (int2)numeric (int4)numeric (float4)float8 (float8)float8 (numeric)numeric
string_agg (bytea,bytea)bytea (text,text)text
string_to_array (text,text)_text (text,text,text)_text
string_to_table (text,text)text (text,text,text)text
strpos (text,text)int4
substr (bytea,int4)bytea (text,int4)text (bytea,int4,int4)bytea (text,int4,int4)text
substring (bytea,int4)bytea (text,int4)text (text,text)text (bytea,int4,int4)bytea (text,int4,int4)text
    (text,text,text)text (bit,int4)bit (bit,int4,int4)bit
sum (int8)numeric (int2)int8 (int4)int8 (float4)float4 (float8)float8 (interval)interval (numeric)numeric
tan (float8)float8
tand (float8)float8
tanh (float8)float8
text (bool)text (char)text (name)text (bpchar)text
textcat (text,text)text
time (timestamp)time (timestamptz)time (interval)time (timetz)time (time,int4)time
timeofday ()text
timestamp (date)timestamp (timestamptz)timestamp (date,time)timestamp (timestamp,int4)timestamp
timestamptz (date)timestamptz (timestamp)timestamptz (date,time)timestamptz (date,timetz)timestamptz
    (timestamptz,int4)timestamptz
timetz (time)timetz (timestamptz)timetz (timetz,int4)timetz
timezone (timestamp)timestamptz (timestamptz)timestamp (timetz)timetz (text,timestamp)timestamptz
    (text,timestamptz)timestamp (text,timetz)timetz (interval,timestamp)timestamptz (interval,timestamptz)timestamp
    (interval,timetz)timetz
to_bin (int8)text (int4)text
to_char (int8,text)text (int4,text)text (float4,text)text (float8,text)text (timestamp,text)text
    (timestamptz,text)text (interval,text)text (numeric,text)text
to_date (text,text)date
to_hex (int8)text (int4)text
to_json (anyelement)json
to_jsonb (anyelement)jsonb
to_number (text,text)numeric
to_oct (int8)text (int4)text
to_regclass (text)regclass
to_regtype (text)regtype
to_timestamp (float8)timestamptz (text,text)timestamptz
transaction_timestamp ()timestamptz
translate (text,text,text)text
trim_array (anyarray,int4)anyarray
trim_scale (numeric)numeric
trunc (float8)float8 (numeric)numeric (numeric,int4)numeric
txid_current ()int8
unistr (text)text
unnest (anyarray)anyelement
upper (text)text
uuid_extract_timestamp (uuid)timestamptz
uuid_extract_version (uuid)int2
uuidv4 ()uuid
uuidv7 ()uuid (interval)uuid
var_pop (int8)numeric (int2)numeric (int4)numeric (float4)float8 (float8)float8 (numeric)numeric
var_samp (int8)numeric (int2)numeric (int4)numeric (float4)float8 (float8)float8 (numeric)numeric
varchar (name)varchar (varchar,int4,bool)varchar
variance (int8)numeric (int2)numeric (int4)numeric (float4)float8 (float8)float8 (numeric)numeric
version ()text
width_bucket (anycompatible,anycompatiblearray)int4 (float8,float8,float8,int4)int4
    (numeric,numeric,numeric,int4)int4
"""

# pg_proc.prokind, proretset and provolatile; all others are plain immutable functions.
AGGREGATES = """
any_value array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp every json_agg
json_object_agg jsonb_agg jsonb_object_agg max min mode percentile_cont percentile_disc regr_avgx regr_avgy
regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy stddev stddev_pop stddev_samp string_agg sum
var_pop var_samp variance
"""
WINDOWS = """
cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number
"""
SETS = """
generate_series generate_subscripts json_array_elements json_array_elements_text json_each json_each_text
json_object_keys jsonb_array_elements jsonb_array_elements_text jsonb_each jsonb_each_text jsonb_object_keys
jsonb_path_query
regexp_matches regexp_split_to_table string_to_table unnest
"""
STABLE = """
age array_to_json array_to_string col_description concat concat_ws convert_from convert_to current_database
current_schema current_schemas current_setting current_user date date_add date_part date_subtract date_trunc extract
format format_type generate_series getdatabaseencoding has_database_privilege has_schema_privilege
has_table_privilege inet_server_port json_agg json_build_array json_build_object json_object_agg jsonb_agg
jsonb_build_array jsonb_build_object length make_timestamptz now obj_description overlaps pg_backend_pid
pg_client_encoding pg_encoding_to_char pg_get_userbyid pg_get_viewdef pg_has_role pg_my_temp_schema
pg_postmaster_start_time pg_table_is_visible pg_typeof quote_literal quote_nullable row_to_json session_user
shobj_description statement_timestamp time timestamp timestamptz timetz timezone to_char to_date to_json to_jsonb
to_number to_regclass to_regtype to_timestamp transaction_timestamp txid_current version
"""
VOLATILE = """
array_sample array_shuffle
clock_timestamp gen_random_uuid lastval pg_database_size pg_is_in_recovery pg_sleep random random_normal set_config
setseed timeofday uuidv4 uuidv7
"""
