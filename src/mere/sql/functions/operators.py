"""Facts about PostgreSQL 18's operators and casts over the types Mere stores: pg_operator, pg_cast. Pure data.

tests/integration/expressions/test_facts.py compares each line with a running PostgreSQL.
"""

from __future__ import annotations

# Operator, then (left,right)result, or (right)result for a prefix operator.
OPERATORS = """
!~ (name,text)bool (text,text)bool (bpchar,text)bool
!~* (name,text)bool (text,text)bool (bpchar,text)bool
!~~ (bytea,bytea)bool (name,text)bool (text,text)bool (bpchar,text)bool
!~~* (name,text)bool (text,text)bool (bpchar,text)bool
# (int8,int8)int8 (int2,int2)int2 (int4,int4)int4
    (bit,bit)bit
#- (jsonb,_text)jsonb
#> (json,_text)json (jsonb,_text)jsonb
#>> (json,_text)text (jsonb,_text)text
% (int8,int8)int8 (int2,int2)int2 (int4,int4)int4 (numeric,numeric)numeric
& (int8,int8)int8 (int2,int2)int2 (int4,int4)int4
    (bit,bit)bit
&& (anyarray,anyarray)bool
* (int8,int8)int8 (int8,int2)int8 (int8,int4)int8 (int2,int8)int8 (int2,int2)int2 (int2,int4)int4 (int4,int8)int8
    (int4,int2)int4 (int4,int4)int4 (float4,float4)float4 (float4,float8)float8 (float8,float4)float8
    (float8,float8)float8 (float8,interval)interval (interval,float8)interval (numeric,numeric)numeric
+ (int8)int8 (int2)int2 (int4)int4 (float4)float4 (float8)float8 (numeric)numeric (int8,int8)int8 (int8,int2)int8
    (int8,int4)int8 (int2,int8)int8 (int2,int2)int2 (int2,int4)int4 (int4,int8)int8 (int4,int2)int4 (int4,int4)int4
    (int4,date)date (float4,float4)float4 (float4,float8)float8 (float8,float4)float8 (float8,float8)float8
    (date,int4)date (date,time)timestamp (date,interval)timestamp (date,timetz)timestamptz (time,date)timestamp
    (time,interval)time (timestamp,interval)timestamp (timestamptz,interval)timestamptz (interval,date)timestamp
    (interval,time)time (interval,timestamp)timestamp (interval,timestamptz)timestamptz (interval,interval)interval
    (interval,timetz)timetz (timetz,date)timestamptz (timetz,interval)timetz (numeric,numeric)numeric
- (int8)int8 (int2)int2 (int4)int4 (float4)float4 (float8)float8 (interval)interval (numeric)numeric (int8,int8)int8
    (int8,int2)int8 (int8,int4)int8 (int2,int8)int8 (int2,int2)int2 (int2,int4)int4 (int4,int8)int8 (int4,int2)int4
    (int4,int4)int4 (float4,float4)float4 (float4,float8)float8 (float8,float4)float8 (float8,float8)float8
    (date,int4)date (date,date)int4 (date,interval)timestamp (time,time)interval (time,interval)time
    (timestamp,timestamp)interval (timestamp,interval)timestamp (timestamptz,timestamptz)interval
    (timestamptz,interval)timestamptz (interval,interval)interval (timetz,interval)timetz (numeric,numeric)numeric
    (jsonb,int4)jsonb (jsonb,text)jsonb (jsonb,_text)jsonb
-> (json,int4)json (json,text)json (jsonb,int4)jsonb (jsonb,text)jsonb
->> (json,int4)text (json,text)text (jsonb,int4)text (jsonb,text)text
/ (int8,int8)int8 (int8,int2)int8 (int8,int4)int8 (int2,int8)int8 (int2,int2)int2 (int2,int4)int4 (int4,int8)int8
    (int4,int2)int4 (int4,int4)int4 (float4,float4)float4 (float4,float8)float8 (float8,float4)float8
    (float8,float8)float8 (interval,float8)interval (numeric,numeric)numeric
< (bool,bool)bool (bytea,bytea)bool (char,char)bool (name,name)bool (name,text)bool (int8,int8)bool (int8,int2)bool
    (int8,int4)bool (int2,int8)bool (int2,int2)bool (int2,int4)bool (int4,int8)bool (int4,int2)bool (int4,int4)bool
    (text,name)bool (text,text)bool (oid,oid)bool (float4,float4)bool (float4,float8)bool (float8,float4)bool
    (float8,float8)bool (bpchar,bpchar)bool (date,date)bool (date,timestamp)bool (date,timestamptz)bool
    (time,time)bool (timestamp,date)bool (timestamp,timestamp)bool (timestamp,timestamptz)bool
    (timestamptz,date)bool (timestamptz,timestamp)bool (timestamptz,timestamptz)bool (interval,interval)bool
    (timetz,timetz)bool (numeric,numeric)bool (record,record)bool (anyarray,anyarray)bool (uuid,uuid)bool
    (jsonb,jsonb)bool
    (bit,bit)bool (varbit,varbit)bool
<< (int8,int4)int8 (int2,int4)int2 (int4,int4)int4
    (bit,int4)bit
<= (bool,bool)bool (bytea,bytea)bool (char,char)bool (name,name)bool (name,text)bool (int8,int8)bool (int8,int2)bool
    (int8,int4)bool (int2,int8)bool (int2,int2)bool (int2,int4)bool (int4,int8)bool (int4,int2)bool (int4,int4)bool
    (text,name)bool (text,text)bool (oid,oid)bool (float4,float4)bool (float4,float8)bool (float8,float4)bool
    (float8,float8)bool (bpchar,bpchar)bool (date,date)bool (date,timestamp)bool (date,timestamptz)bool
    (time,time)bool (timestamp,date)bool (timestamp,timestamp)bool (timestamp,timestamptz)bool
    (timestamptz,date)bool (timestamptz,timestamp)bool (timestamptz,timestamptz)bool (interval,interval)bool
    (timetz,timetz)bool (numeric,numeric)bool (record,record)bool (anyarray,anyarray)bool (uuid,uuid)bool
    (jsonb,jsonb)bool
    (bit,bit)bool (varbit,varbit)bool
<> (bool,bool)bool (bytea,bytea)bool (char,char)bool (name,name)bool (name,text)bool (int8,int8)bool (int8,int2)bool
    (int8,int4)bool (int2,int8)bool (int2,int2)bool (int2,int4)bool (int4,int8)bool (int4,int2)bool (int4,int4)bool
    (text,name)bool (text,text)bool (oid,oid)bool (float4,float4)bool (float4,float8)bool (float8,float4)bool
    (float8,float8)bool (bpchar,bpchar)bool (date,date)bool (date,timestamp)bool (date,timestamptz)bool
    (time,time)bool (timestamp,date)bool (timestamp,timestamp)bool (timestamp,timestamptz)bool
    (timestamptz,date)bool (timestamptz,timestamp)bool (timestamptz,timestamptz)bool (interval,interval)bool
    (timetz,timetz)bool (numeric,numeric)bool (record,record)bool (anyarray,anyarray)bool (uuid,uuid)bool
    (jsonb,jsonb)bool
    (bit,bit)bool (varbit,varbit)bool
<@ (anyarray,anyarray)bool (jsonb,jsonb)bool
= (bool,bool)bool (bytea,bytea)bool (char,char)bool (name,name)bool (name,text)bool (int8,int8)bool (int8,int2)bool
    (int8,int4)bool (int2,int8)bool (int2,int2)bool (int2,int4)bool (int4,int8)bool (int4,int2)bool (int4,int4)bool
    (text,name)bool (text,text)bool (oid,oid)bool (float4,float4)bool (float4,float8)bool (float8,float4)bool
    (float8,float8)bool (bpchar,bpchar)bool (date,date)bool (date,timestamp)bool (date,timestamptz)bool
    (time,time)bool (timestamp,date)bool (timestamp,timestamp)bool (timestamp,timestamptz)bool
    (timestamptz,date)bool (timestamptz,timestamp)bool (timestamptz,timestamptz)bool (interval,interval)bool
    (timetz,timetz)bool (numeric,numeric)bool (record,record)bool (anyarray,anyarray)bool (uuid,uuid)bool
    (jsonb,jsonb)bool
    (bit,bit)bool (varbit,varbit)bool
> (bool,bool)bool (bytea,bytea)bool (char,char)bool (name,name)bool (name,text)bool (int8,int8)bool (int8,int2)bool
    (int8,int4)bool (int2,int8)bool (int2,int2)bool (int2,int4)bool (int4,int8)bool (int4,int2)bool (int4,int4)bool
    (text,name)bool (text,text)bool (oid,oid)bool (float4,float4)bool (float4,float8)bool (float8,float4)bool
    (float8,float8)bool (bpchar,bpchar)bool (date,date)bool (date,timestamp)bool (date,timestamptz)bool
    (time,time)bool (timestamp,date)bool (timestamp,timestamp)bool (timestamp,timestamptz)bool
    (timestamptz,date)bool (timestamptz,timestamp)bool (timestamptz,timestamptz)bool (interval,interval)bool
    (timetz,timetz)bool (numeric,numeric)bool (record,record)bool (anyarray,anyarray)bool (uuid,uuid)bool
    (jsonb,jsonb)bool
    (bit,bit)bool (varbit,varbit)bool
>= (bool,bool)bool (bytea,bytea)bool (char,char)bool (name,name)bool (name,text)bool (int8,int8)bool (int8,int2)bool
    (int8,int4)bool (int2,int8)bool (int2,int2)bool (int2,int4)bool (int4,int8)bool (int4,int2)bool (int4,int4)bool
    (text,name)bool (text,text)bool (oid,oid)bool (float4,float4)bool (float4,float8)bool (float8,float4)bool
    (float8,float8)bool (bpchar,bpchar)bool (date,date)bool (date,timestamp)bool (date,timestamptz)bool
    (time,time)bool (timestamp,date)bool (timestamp,timestamp)bool (timestamp,timestamptz)bool
    (timestamptz,date)bool (timestamptz,timestamp)bool (timestamptz,timestamptz)bool (interval,interval)bool
    (timetz,timetz)bool (numeric,numeric)bool (record,record)bool (anyarray,anyarray)bool (uuid,uuid)bool
    (jsonb,jsonb)bool
    (bit,bit)bool (varbit,varbit)bool
>> (int8,int4)int8 (int2,int4)int2 (int4,int4)int4
    (bit,int4)bit
? (jsonb,text)bool
?& (jsonb,_text)bool
?| (jsonb,_text)bool
@ (int8)int8 (int2)int2 (int4)int4 (float4)float4 (float8)float8 (numeric)numeric
@> (anyarray,anyarray)bool (jsonb,jsonb)bool
@? (jsonb,jsonpath)bool
@@ (jsonb,jsonpath)bool
^ (float8,float8)float8 (numeric,numeric)numeric
^@ (text,text)bool
| (int8,int8)int8 (int2,int2)int2 (int4,int4)int4
    (bit,bit)bit
|/ (float8)float8
|| (bytea,bytea)bytea (text,text)text (text,anynonarray)text (anynonarray,text)text (jsonb,jsonb)jsonb
    (anycompatible,anycompatiblearray)anycompatiblearray (anycompatiblearray,anycompatible)anycompatiblearray
    (anycompatiblearray,anycompatiblearray)anycompatiblearray
    (varbit,varbit)varbit
||/ (float8)float8
~ (int8)int8 (int2)int2 (int4)int4 (name,text)bool (text,text)bool (bpchar,text)bool
    (bit)bit
~* (name,text)bool (text,text)bool (bpchar,text)bool
~~ (bytea,bytea)bool (name,text)bool (text,text)bool (bpchar,text)bool
~~* (name,text)bool (text,text)bool (bpchar,text)bool
"""

# Source type, then each target: implicit; `?` in assignment only; `!` explicit only; `=` without a function.
CASTS = """
int8 int2? int4? float4 float8 numeric oid regclass regtype regnamespace bytea! bit!
int2 int8 int4 float4 float8 numeric oid regclass regtype regnamespace bytea!
int4 int8 int2? float4 float8 numeric bool! oid= regclass= regtype= regnamespace= bytea! char! bit!
float4 int8? int2? int4? float8 numeric?
float8 int8? int2? int4? float4? numeric?
numeric int8? int2? int4? float4 float8
bool int4! text? varchar? bpchar?
oid int8? int4?= regclass= regtype= regnamespace=
regclass oid= int8? int4?=
regnamespace oid= int8? int4?=
regtype oid= int8? int4?=
text regclass bpchar= varchar= char? name
varchar regclass text= bpchar= char? name
bpchar text varchar char? name
char text bpchar? varchar? int4!
name text bpchar? varchar?
bytea int2! int4! int8!
date timestamp timestamptz
time interval timetz
timestamp date? time? timestamptz
timestamptz date? time? timestamp? timetz?
interval time?
bit varbit= int4! int8!
varbit bit=
timetz time?
json jsonb?
jsonb json? bool! numeric! int2! int4! int8! float4! float8!
"""
